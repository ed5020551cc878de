package moving

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Source is a file or a document of the web.
type Source struct {
	Name string
	Text []byte
}

// IsURL reports whether a name is an address of the web and no file.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://")
}

const (
	fetchTime = time.Minute
	mostBytes = 512 << 20 // of one document
)

// Read reads a file, or fetches an address.
func Read(ctx context.Context, name string) (Source, error) {
	if !IsURL(name) {
		text, err := os.ReadFile(name)
		return Source{name, text}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, name, nil)
	if err != nil {
		return Source{}, err
	}
	req.Header.Set("Accept", "application/json, application/atom+xml")
	client := http.Client{Timeout: fetchTime}
	res, err := client.Do(req)
	if err != nil {
		return Source{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Source{}, fmt.Errorf("%s answers %s", name, res.Status)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, mostBytes+1))
	if err == nil && len(text) > mostBytes {
		err = fmt.Errorf("%s is larger than %d MB", name, mostBytes>>20)
	}
	return Source{name, text}, err
}

// ReadStatuspage reads what the names stand for: files, addresses of documents,
// or the address of a page, whose documents are fetched.
func ReadStatuspage(ctx context.Context, names []string) ([]Source, error) {
	var out []Source
	for _, name := range names {
		all := []string{name}
		if IsURL(name) && !strings.HasSuffix(name, ".json") && !strings.HasSuffix(name, ".csv") {
			all = nil
			for _, path := range StatuspagePaths {
				all = append(all, strings.TrimRight(name, "/")+path)
			}
		}
		for _, one := range all {
			source, err := Read(ctx, one)
			if err != nil {
				return nil, err
			}
			out = append(out, source)
		}
	}
	return out, nil
}

// ReadCachet reads files, or all that the API at an address lists.
func ReadCachet(ctx context.Context, names []string) ([]Source, error) {
	var out []Source
	for _, name := range names {
		if !IsURL(name) {
			source, err := Read(ctx, name)
			if err != nil {
				return nil, err
			}
			out = append(out, source)
			continue
		}
		base := strings.TrimSuffix(strings.TrimRight(name, "/"), "/api/v1")
		for _, list := range []string{"components/groups", "components", "incidents", "schedules"} {
			sources, err := readPages(ctx, base+"/api/v1/"+list)
			if err != nil && list == "schedules" && strings.Contains(err.Error(), "404") {
				continue // Cachet before 2.4 has none
			}
			if err != nil {
				return nil, err
			}
			out = append(out, sources...)
		}
	}
	return out, nil
}

// mostPages bounds a list, whatever it says of itself.
const mostPages = 10_000

func readPages(ctx context.Context, list string) ([]Source, error) {
	var out []Source
	for n := 1; n <= mostPages; n++ {
		source, err := Read(ctx, fmt.Sprintf("%s?per_page=100&page=%d", list, n))
		if err != nil {
			return nil, err
		}
		out = append(out, source)
		if n >= pagesOf(source.Text) {
			break
		}
	}
	return out, nil
}
