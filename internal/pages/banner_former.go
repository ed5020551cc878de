package pages

import (
	"embed"
	"io/fs"
)

// bannerFiles are all builds of the banner that were ever released, under the
// names of their addresses. Sites hold their pages to the hash of one of them, so
// none may ever be changed or taken away: whoever embeds it sees no outage any
// more. They all read the state in the form of version 1.
//
//go:embed banners/v1.*.js
var bannerFiles embed.FS

// loadBanners reads the kept builds, by the paths they are served under.
func loadBanners(files fs.FS) (map[string][]byte, error) {
	names, err := fs.Glob(files, "banners/*.js")
	if err != nil {
		return nil, err
	}
	builds := map[string][]byte{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		builds["/banner/"+name[len("banners/"):]] = data
	}
	return builds, nil
}
