package pages

import "time"

// JSON Feed 1.1, https://www.jsonfeed.org/version/1.1/

type jsonFeed struct {
	Version     string           `json:"version"`
	Title       string           `json:"title"`
	Home        string           `json:"home_page_url"`
	Self        string           `json:"feed_url"`
	Description string           `json:"description"`
	Language    string           `json:"language"`
	Authors     []jsonFeedAuthor `json:"authors"`
	Items       []jsonFeedItem   `json:"items"`
}

type jsonFeedAuthor struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type jsonFeedItem struct {
	ID        string `json:"id"`
	URL       string `json:"url"`
	Title     string `json:"title"`
	HTML      string `json:"content_html"`
	Published string `json:"date_published"`
	Modified  string `json:"date_modified"`
}

func (p *press) jsonFeed(f feed) ([]byte, error) {
	doc := jsonFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: f.title, Home: f.home, Self: p.cfg.PublicURL + f.path + ".json",
		Description: f.about, Language: p.cfg.Language, Authors: []jsonFeedAuthor{{p.cfg.Name, p.cfg.PublicURL + "/"}}, Items: []jsonFeedItem{},
	}
	for _, entry := range f.entries {
		doc.Items = append(doc.Items, jsonFeedItem{
			ID: entry.id, URL: entry.url, Title: entry.title, HTML: entry.html,
			Published: entry.published.Format(time.RFC3339), Modified: entry.updated.Format(time.RFC3339),
		})
	}
	return jsonBytes(doc)
}
