package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listen serves the site on a real socket.
func (s *site) listen() string {
	s.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.serve(ln)
	return ln.Addr().String()
}

func (s *site) serve(ln net.Listener) {
	done := make(chan error, 1)
	go func() { done <- s.server.Serve(ln) }()
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.server.Shutdown(ctx); err != nil {
			s.t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			s.t.Errorf("serve ended with %v", err)
		}
	})
}

// say sends raw bytes and reads until the server closes.
func say(t *testing.T, address, bytes string) (all string, closed bool) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	giveUp(t, conn)
	if _, err := io.WriteString(conn, bytes); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	return string(got), err == nil || errors.Is(err, syscall.ECONNRESET)
}

// giveUp closes the connection when nothing comes of it.
func giveUp(t *testing.T, conn net.Conn) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	context.AfterFunc(ctx, func() { _ = conn.Close() })
}

func TestRequestsThatProxiesReadDifferentlyAreRefused(t *testing.T) {
	address := newSite(t).listen()
	const smuggled = "GET /admin HTTP/1.1\r\nHost: status.example.com\r\n\r\n"
	post := "POST /subscriptions HTTP/1.1\r\nHost: status.example.com\r\n"
	for name, raw := range map[string]string{
		"length and chunks":              post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"two lengths":                    post + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello" + smuggled,
		"two lengths in one":             post + "Content-Length: 0, 5\r\n\r\nhello" + smuggled,
		"a length with a sign":           post + "Content-Length: +5\r\n\r\nhello" + smuggled,
		"a negative length":              post + "Content-Length: -5\r\n\r\nhello" + smuggled,
		"a length that is none":          post + "Content-Length: 0x5\r\n\r\nhello" + smuggled,
		"a length with a space":          post + "Content-Length : 5\r\n\r\nhello" + smuggled,
		"a folded line":                  post + "Content-Length: 5\r\nX-A: b\r\n c: d\r\n\r\nhello",
		"no host":                        "GET / HTTP/1.1\r\n\r\n",
		"two hosts":                      "GET / HTTP/1.1\r\nHost: status.example.com\r\nHost: evil.example\r\n\r\n",
		"unknown transfer coding":        post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled,
		"chunked that is not the last":   post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + smuggled,
		"chunked twice":                  post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"a bare line feed in the chunks": post + "Transfer-Encoding: chunked\r\n\r\n5;a\nX\r\nhello\r\n0\r\n\r\n" + smuggled,
		"a chunk size with a sign":       post + "Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n" + smuggled,
		"a chunk longer than its size":   post + "Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n" + smuggled,
		"a header without a name":        post + ": nothing\r\nContent-Length: 0\r\n\r\n" + smuggled,
		"a null in a header":             "GET / HTTP/1.1\r\nHost: status.example.com\r\nX-A: a\x00b\r\n\r\n" + smuggled,
		"chunks in HTTP/1.0":             "POST /subscriptions HTTP/1.0\r\nHost: status.example.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
	} {
		got, closed := say(t, address, raw)
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") || strings.Count(got, "HTTP/1.1 ") != 1 || !closed {
			t.Errorf("%s: want one 400 and a closed connection, got closed=%v %q", name, closed, firstLines(got))
		}
	}
}

func firstLines(s string) string { return s[:min(len(s), 300)] }

func TestALongHeaderIsRefused(t *testing.T) {
	address := newSite(t).listen()
	got, closed := say(t, address, "GET / HTTP/1.1\r\nHost: status.example.com\r\nX-A: "+strings.Repeat("a", 9<<10)+"\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 431 ") || !closed {
		t.Errorf("want 431, got %q", firstLines(got))
	}
}

func TestALargeBodyWithoutTheSecretIsNeverRead(t *testing.T) {
	address := newSite(t).listen()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	giveUp(t, conn)
	// only the header is sent: the answer must not wait for the body
	_, err = io.WriteString(conn, "POST /hooks/alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nContent-Length: 67108864\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 401 || !res.Close {
		t.Errorf("want 401 and a closed connection, got %d, close %v", res.StatusCode, res.Close)
	}
}

func TestTheHTTPParserIsOneThatRefusesSmuggling(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`github\.com/valyala/fasthttp v1\.(\d+)\.\d+`).FindSubmatch(mod)
	if m == nil {
		t.Fatal("go.mod does not require fasthttp v1: Fiber's own pin accepts smuggled requests")
	}
	if minor, err := strconv.Atoi(string(m[1])); err != nil || minor < 77 {
		t.Errorf("go.mod requires fasthttp v1.%s, want at least v1.77", m[1])
	}
}

// shortListener fails a few times before it works.
type shortListener struct {
	net.Listener
	failures []error
}

func (l *shortListener) Accept() (net.Conn, error) {
	if len(l.failures) > 0 {
		err := l.failures[0]
		l.failures = l.failures[1:]
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}
	}
	return l.Listener.Accept()
}

func TestRunningOutOfDescriptorsDoesNotEndTheServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.serve(&shortListener{ln, []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED}})
	res, err := http.Get("http://" + ln.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("after the shortage: %d", res.StatusCode)
	}
}
