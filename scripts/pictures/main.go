// Command pictures takes the pictures of the documentation: it runs the demo,
// fires an alert into it, publishes one issue and leaves a draft, and photographs
// what is to be seen in Chromium, light and dark. What is on the pictures is the
// demo's past, which is the same every day; only the dates move.
//
//	go run ./scripts/pictures docs
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	devtools "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A picture is wide enough for a page that is read on a screen, and is sharp on
// one with small dots.
const (
	width = 900
	scale = 1.5
)

// pictures are what is taken, each of its path in the demo; "review" is where
// the draft is published.
var pictures = []struct {
	name, path string
	height     int64
}{
	{"page", "/", 1130},
	{"draft", "review", 900},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./scripts/pictures FOLDER")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := take(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func take(ctx context.Context, folder string) error {
	base, end, err := demo(ctx)
	if err != nil {
		return err
	}
	defer end()
	program, err := exec.LookPath("chromium")
	if err != nil {
		return fmt.Errorf("%w; run: make tools", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, quit := chromedp.NewExecAllocator(ctx, options...)
	defer quit()
	tab, closeTab := chromedp.NewContext(allocator)
	defer closeTab()
	if err := chromedp.Do(tab); err != nil {
		return fmt.Errorf("chromium: %w", err)
	}
	if _, err := chromedp.Call(tab, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "UTC"}); err != nil {
		return err
	}
	review, err := stage(tab, base)
	if err != nil {
		return err
	}
	for _, p := range pictures {
		if p.path == "review" {
			p.path = review
		}
		for _, scheme := range []string{"light", "dark"} {
			file := filepath.Join(folder, p.name+"-"+scheme+".png")
			fmt.Fprintln(os.Stderr, "pictures:", file)
			if err := shoot(tab, base+p.path, scheme, p.height, file); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

// demo starts the demo and returns its address.
func demo(ctx context.Context) (base string, end func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := ln.Addr().String()
	_ = ln.Close()
	dir, err := os.MkdirTemp("", "pictures-")
	if err != nil {
		return "", nil, err
	}
	binary := filepath.Join(dir, "statusbridge")
	fmt.Fprintln(os.Stderr, "pictures: building")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/statusbridge").CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, binary, "demo", "--listen", address)
	cmd.Dir, cmd.Stderr = dir, io.Discard
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	end = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	for said := bufio.NewScanner(out); said.Scan(); {
		if words := strings.Fields(said.Text()); len(words) == 2 && words[0] == "page" {
			go io.Copy(io.Discard, out) //nolint:errcheck // so that it never waits for a reader
			return strings.TrimSuffix(words[1], "/"), end, nil
		}
	}
	end()
	return "", nil, fmt.Errorf("the demo ended before it ran")
}

// stage brings the demo to where a picture tells most: an alert has fired, and
// its draft waits. It returns the path of the draft.
func stage(tab context.Context, base string) (review string, err error) {
	if err := open(tab, base+"/demo"); err != nil {
		return "", err
	}
	const press = `(async () => {
		for (const button of ["/demo/fire", "/demo/sign-in"]) await fetch(button, {method: "POST"});
		for (let n = 0; n < 100; n++) {
			const queue = new DOMParser().parseFromString(await (await fetch("/admin")).text(), "text/html");
			const link = queue.querySelector('a[href^="/admin/issues/"][href$="/review"]');
			if (link) return link.getAttribute("href");
			await new Promise(r => setTimeout(r, 100));
		}
		return "";
	})()`
	review, err = chromedp.Run(tab, chromedp.Evaluate[string](press, chromedp.EvalAwaitPromise))
	if err == nil && review == "" {
		err = fmt.Errorf("the alert that was fired made no draft")
	}
	return review, err
}

func open(tab context.Context, url string) error {
	_, err := chromedp.Run(tab, chromedp.Navigate(url))
	return err
}

// shoot photographs the upper part of a page, without the demo's strip.
func shoot(tab context.Context, url, scheme string, height int64, file string) error {
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}); err != nil {
		return err
	}
	if _, err := chromedp.Call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale}); err != nil {
		return err
	}
	if err := open(tab, url); err != nil {
		return err
	}
	const undress = `document.querySelector(".demo-strip")?.remove(); document.fonts.ready.then(() => true)`
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](undress, chromedp.EvalAwaitPromise)); err != nil {
		return err
	}
	got, err := chromedp.Call(tab, devtools.CaptureScreenshot, devtools.CaptureScreenshotParams{})
	if err != nil {
		return err
	}
	return os.WriteFile(file, got.Data, 0o644)
}
