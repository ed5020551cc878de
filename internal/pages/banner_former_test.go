package pages

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
)

var keepBanner = flag.Bool("keep-banner", false, "make the present build of the banner, and keep it")

// minified makes the banner of its source and its stylesheet.
func minified(t *testing.T) string {
	t.Helper()
	m := minify.New()
	m.AddFunc("css", css.Minify)
	m.AddFunc("js", js.Minify)
	look, err := m.String("css", mustRead("assets/banner.css"))
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(look)
	if err != nil {
		t.Fatal(err)
	}
	// Once, in a constant: the source names it twice.
	source := strings.Replace(mustRead("assets/banner.js"), "let state", "const look = "+string(quoted)+";\nlet state", 1)
	script, err := m.String("js", strings.ReplaceAll(source, "$LOOK", "look"))
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// TestTheBannerBuildIsKept: a site that embeds a build by its hash must find it
// after every upgrade, so each build that is released stands in the folder.
func TestTheBannerBuildIsKept(t *testing.T) {
	build := newBannerBuild(minified(t))
	file := "banners/" + path.Base(build.path)
	if *keepBanner {
		if err := errors.Join(os.WriteFile(minifiedBanner, []byte(build.source), 0o644), os.WriteFile(file, build.script, 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	if mustRead(minifiedBanner) != build.source {
		t.Errorf("%s is not what the banner's source makes.\nMake it: go test ./internal/pages -run TheBannerBuildIsKept -keep-banner", minifiedBanner)
	}
	if kept, err := bannerFiles.ReadFile(file); err != nil || string(kept) != string(build.script) {
		t.Errorf("the build %s of the banner is not kept (%v).\nKeep it: go test ./internal/pages -run TheBannerBuildIsKept -keep-banner\n"+
			"One in internal/pages/banners that was in no release may go; one that was may not.", file, err)
	}
	builds, err := loadBanners(bannerFiles)
	if err != nil {
		t.Fatal(err)
	}
	for at, data := range builds {
		if want := "/banner/v1." + checksum(data) + ".js"; at != want {
			t.Errorf("%s was changed: sites that hold it to its hash do not run it any more", at)
		}
	}
}

func TestFormerBannerBuildsGoOnAnswering(t *testing.T) {
	former := []byte("(()=>{/* of an earlier release */})()\n")
	at := "/banner/v1." + checksum(former) + ".js"
	builds, err := loadBanners(fstest.MapFS{"banners/" + path.Base(at): {Data: former}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(settings(), &world{view: storm()}, &stillClock{noon}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	for path, build := range builds {
		p.press.assets.banners[path] = build
	}
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	doc := p.Find(at)
	if doc == nil {
		t.Fatal("a page that embeds the build of an earlier release gets nothing")
	}
	sum := sha512.Sum384(doc.Raw)
	if want := sha512.Sum384(former); base64.StdEncoding.EncodeToString(sum[:]) != base64.StdEncoding.EncodeToString(want[:]) || !strings.Contains(doc.CacheControl, "immutable") {
		t.Errorf("it is not served as it was: %q, %s", doc.Raw, doc.CacheControl)
	}
	// What it reads has the form that it knows.
	if !strings.HasPrefix(body(t, p, "/banner.json"), `{"v":1,`) {
		t.Error("/banner.json is of a form that former builds do not know")
	}
}
