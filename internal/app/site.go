package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/statusbridge/statusbridge/internal/pages"
	"github.com/statusbridge/statusbridge/internal/store"
)

// site is what the public pages need of the configuration.
func (c Config) site() (pages.Config, error) {
	zone, err := time.LoadLocation(c.Page.TimeZone)
	if err != nil {
		return pages.Config{}, err
	}
	_, drawn := c.charts()
	return pages.Config{
		Name: c.Page.Name, PublicURL: c.PublicURL, TimeZone: zone, Language: c.Page.Language, Languages: c.Page.Languages,
		SupportURL: c.Page.SupportURL, Logo: c.Page.Logo, Accent: c.Page.Accent, CSS: c.Page.CSS, SecurityContacts: c.Page.SecurityContact,
		DataDir: c.DataDir, Weights: c.Page.Weights.status(), Mail: c.SMTP.URL != "",
		Charts: drawn,
	}, nil
}

// An Exporter writes the public site to a folder, as it is in the database.
type Exporter struct{ publisher *pages.Publisher }

// NewExporter makes one over an open store. Files answer no form, so the pages
// offer no mail; and the daemon's last good page is left alone.
func NewExporter(cfg Config, s *store.Store, log *slog.Logger) (Exporter, error) {
	site, err := cfg.site()
	if err != nil {
		return Exporter{}, err
	}
	site.Mail, site.DataDir, site.Uncompressed = false, "", true
	p, err := pages.New(site, s, Clock{}, log)
	return Exporter{p}, err
}

// Export reads the database and writes the folder.
func (x Exporter) Export(ctx context.Context, dir string, progress func(done, total int)) (pages.Exported, error) {
	if err := x.publisher.Refresh(ctx); err != nil {
		return pages.Exported{}, fmt.Errorf("export: %w", err)
	}
	return x.publisher.Export(ctx, dir, progress)
}
