package moving

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// atomFeed is what an import reads of a feed (RFC 4287).
type atomFeed struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	Entries []struct {
		ID        string   `xml:"id"`
		Title     atomText `xml:"title"`
		Published string   `xml:"published"`
		Updated   string   `xml:"updated"`
		Content   atomText `xml:"content"`
		Summary   atomText `xml:"summary"`
		Links     []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
	} `xml:"entry"`
}

type atomText struct {
	Text  string `xml:",chardata"`
	XHTML string `xml:",innerxml"`
	Type  string `xml:"type,attr"`
}

func (t atomText) markdown() string {
	if t.Type == "xhtml" {
		return markdown(t.XHTML)
	}
	return markdown(t.Text)
}

var (
	incidentLink = regexp.MustCompile(`/incidents/([a-z0-9]{6,32})/?$`)
	firstWord    = regexp.MustCompile(`\*\*(Investigating|Identified|Monitoring|Update|Resolved|Completed|Postmortem)\*\*`)
)

// Atom reads a feed. An entry becomes one issue that is over, with one update:
// a feed says no more. Entries that say of themselves that they are not over,
// or are planned work, stay away.
func Atom(sources ...Source) (Page, error) {
	var p Page
	for _, source := range sources {
		var feed atomFeed
		if err := xml.Unmarshal(source.Text, &feed); err != nil {
			return Page{}, fmt.Errorf("%s is no Atom feed: %w", source.Name, err)
		}
		for _, e := range feed.Entries {
			id := "atom-" + shortHash(e.ID)
			for _, l := range e.Links {
				if m := incidentLink.FindStringSubmatch(l.Href); m != nil && (l.Rel == "" || l.Rel == "alternate") {
					id = m[1] // the same that the API of the page has
				}
			}
			title, body := strings.TrimSpace(e.Title.Text), e.Content.markdown()
			if body == "" {
				body = e.Summary.markdown()
			}
			updated, _ := time.Parse(time.RFC3339, strings.TrimSpace(e.Updated)) // a bad one is refused later
			published, _ := time.Parse(time.RFC3339, strings.TrimSpace(e.Published))
			published = firstOf(published, updated)
			switch word := firstWord.FindStringSubmatch(body); {
			case strings.Contains(body, "THIS IS A SCHEDULED EVENT"):
				p.skip("incident", id, title, "it is planned work; a feed does not say from when to when")
				continue
			case word != nil && word[1] != "Resolved" && word[1] != "Completed" && word[1] != "Postmortem":
				p.skip("incident", id, title, "it is not over there; open it here by hand")
				continue
			}
			issue := status.Issue{
				ID: id, State: status.Resolved, Impact: status.ImpactNone, ResolvedBy: status.Importer,
				StartedAt: published.UTC(), CreatedAt: published.UTC(), ResolvedAt: firstOf(updated, published).UTC(), UpdatedAt: updated.UTC(),
				Updates: []status.Update{{ID: id + "-0", State: string(status.Resolved), Body: body, CreatedAt: published.UTC(), DisplayAt: firstOf(updated, published).UTC()}},
			}
			issue.Title = titled(title, issue.Updates)
			p.Issues = append(p.Issues, issue)
		}
	}
	return p, nil
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}
