package status

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Subjects is the component; a new one needs none.
func (e SaveComponent) Subjects() []string { return subjects(e.ID) }

// Subjects is the group; a new one needs none.
func (e SaveGroup) Subjects() []string { return subjects(e.ID) }

// Subjects is the component.
func (e ArchiveComponent) Subjects() []string { return subjects(e.ID) }

// Subjects is the group.
func (e ArchiveGroup) Subjects() []string { return subjects(e.ID) }

// Subjects are all of them.
func (e Reorder) Subjects() []string { return slices.Concat(e.Components, e.Groups) }

func subjects(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

var (
	slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	notSlug  = regexp.MustCompile(`[^a-z0-9]+`)
)

// undecomposed are the Latin letters that Unicode does not take apart.
var undecomposed = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ı", "i")

// Slug makes the form in which rules.yaml and URLs name a component: accents are
// left out. Nothing is left of a name without Latin letters or digits.
func Slug(name string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(undecomposed.Replace(strings.ToLower(name))))
	return strings.Trim(notSlug.ReplaceAllString(plain, "-"), "-")
}

// slugFor makes the slug of a component that says none. If another has the one of
// its name, its group and its id tell them apart.
func (d *desk) slugFor(c Component) string {
	none := Slug("component " + c.ID) // of letters that a slug cannot hold
	if Slug(c.Name) == "" {
		return none
	}
	g, _ := d.group(c.GroupID)
	for _, name := range []string{c.Name, g.Name + " " + c.Name, c.Name + " " + c.ID} {
		slug := Slug(name)
		if other, taken := d.componentBySlug(slug); !taken || other.ID == c.ID {
			return slug
		}
	}
	return none
}

// slugOf is slugFor what a person saves: a name for the second time in one group, or
// in none, is taken for a mistake, and the slug is that of the other.
func (d *desk) slugOf(c Component) string {
	other, taken := d.componentBySlug(Slug(c.Name))
	if taken && strings.EqualFold(other.Name, c.Name) && (c.GroupID == "" || c.GroupID == other.GroupID) {
		return other.Slug
	}
	return d.slugFor(c)
}

// kept is what no edit of a component or a group changes.
type kept struct {
	id        string
	createdAt time.Time
	archived  bool
	version   int64
}

// begin makes a new thing of the page (id ""), or takes one up that is as it was
// seen. It answers with the word for the audit log.
func (d *desk) begin(id string, version int64, old kept, known bool) (kept, string, error) {
	switch {
	case id == "":
		return kept{id: d.mint(), createdAt: d.now}, "created", nil
	case !known:
		return kept{}, "", ErrNotFound
	case version != 0 && version != old.version:
		return kept{}, "", ErrConflict
	}
	return old, "changed", nil
}

func (e SaveComponent) revise(d *desk, who string) error {
	c := e.Component
	old, known := d.component(c.ID)
	begun, action, err := d.begin(c.ID, c.Version, kept{old.ID, old.CreatedAt, old.Archived, old.Version}, known)
	if err != nil {
		return err
	}
	c.ID, c.CreatedAt, c.Archived, c.Version = begun.id, begun.createdAt, begun.archived, begun.version
	c.Name = oneLine(c.Name)
	c.Slug = cmp.Or(strings.TrimSpace(c.Slug), d.slugOf(c))
	c.Status = cmp.Or(c.Status, Operational)
	switch other, taken := d.componentBySlug(c.Slug); {
	case c.Name == "":
		return Invalid{"name", "customers need a name for it"}
	case len(c.Name) > MaxTitle:
		return Invalid{"name", "is longer than 200 bytes"}
	case !slugForm.MatchString(c.Slug):
		return Invalid{"slug", "may hold lower-case letters, digits and single dashes, such as checkout-api"}
	case taken && other.ID != c.ID:
		return Invalid{"slug", other.Name + " has it already"}
	case !c.Status.Valid():
		return Invalid{"status", string(c.Status) + " is not known"}
	}
	if _, ok := d.group(c.GroupID); c.GroupID != "" && !ok {
		return Invalid{"group", "there is no such group"}
	}
	c.Version++
	c.UpdatedAt = d.now
	d.c.Components[c.ID] = c
	d.c.Result = c.ID
	d.log(Entry{Actor: who, Action: action, Subject: c.ID, Reason: ReasonPerson, Detail: "component " + c.Name})
	return nil
}

func (e SaveGroup) revise(d *desk, who string) error {
	g := e.Group
	old, known := d.group(g.ID)
	begun, action, err := d.begin(g.ID, g.Version, kept{old.ID, old.CreatedAt, old.Archived, old.Version}, known)
	if err != nil {
		return err
	}
	g.ID, g.CreatedAt, g.Archived, g.Version = begun.id, begun.createdAt, begun.archived, begun.version
	g.Name = oneLine(g.Name)
	if g.Name == "" || len(g.Name) > MaxTitle {
		return Invalid{"name", "a group needs a name of at most 200 bytes"}
	}
	g.Version++
	g.UpdatedAt = d.now
	d.c.Groups[g.ID] = g
	d.c.Result = g.ID
	d.log(Entry{Actor: who, Action: action, Subject: g.ID, Reason: ReasonPerson, Detail: "group " + g.Name})
	return nil
}

func (e ArchiveComponent) revise(d *desk, who string) error {
	c, ok := d.component(e.ID)
	if !ok {
		return ErrNotFound
	}
	if c.Archived {
		return nil
	}
	if e.Version != 0 && e.Version != c.Version {
		return ErrConflict
	}
	c.Archived, c.UpdatedAt = true, d.now
	c.Version++
	d.c.Components[c.ID] = c
	d.log(Entry{Actor: who, Action: "removed", Subject: c.ID, Reason: ReasonPerson, Detail: "component " + c.Name})
	return nil
}

func (e ArchiveGroup) revise(d *desk, who string) error {
	g, ok := d.group(e.ID)
	if !ok {
		return ErrNotFound
	}
	if g.Archived {
		return nil
	}
	if e.Version != 0 && e.Version != g.Version {
		return ErrConflict
	}
	for _, id := range sortedKeys(d.board.Components) {
		if c := d.board.Components[id]; c.GroupID == g.ID {
			c.GroupID, c.UpdatedAt = "", d.now
			c.Version++
			d.c.Components[id] = c
		}
	}
	g.Archived, g.UpdatedAt = true, d.now
	g.Version++
	d.c.Groups[g.ID] = g
	d.log(Entry{Actor: who, Action: "removed", Subject: g.ID, Reason: ReasonPerson, Detail: "group " + g.Name})
	return nil
}

func (e Reorder) revise(d *desk, who string) error {
	for n, id := range e.Components {
		if c, ok := d.component(id); ok && !c.Archived && c.Position != n {
			c.Position, c.UpdatedAt = n, d.now
			c.Version++
			d.c.Components[id] = c
			d.log(Entry{Actor: who, Action: "changed", Subject: id, Reason: ReasonPerson, Detail: "component " + c.Name})
		}
	}
	for n, id := range e.Groups {
		if g, ok := d.group(id); ok && !g.Archived && g.Position != n {
			g.Position, g.UpdatedAt = n, d.now
			g.Version++
			d.c.Groups[id] = g
			d.log(Entry{Actor: who, Action: "changed", Subject: id, Reason: ReasonPerson, Detail: "group " + g.Name})
		}
	}
	return nil
}
