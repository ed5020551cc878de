package scenario

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheFirstStartInAnEmptyFolderSaysAllThatIsNeeded(t *testing.T) {
	// Not in parallel with others: it counts a second.
	d := &daemon{t: t, dir: t.TempDir(), out: &output{}}
	t.Cleanup(func() {
		d.kill()
		if t.Failed() {
			t.Logf("the daemon's output:\n%s", d.out)
		}
	})
	port := freePort(t)
	d.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	// Only the port is set: another test may have the default one.
	d.cmd = exec.Command(binary)
	d.cmd.Dir, d.cmd.Env = d.dir, append(environment(), fmt.Sprintf("STATUSBRIDGE_LISTEN=127.0.0.1:%d", port))
	d.run()
	d.ready()

	for label, want := range map[string]string{"page": d.url + "/", "queue": d.url + "/admin"} {
		if words := d.out.line(label); len(words) == 0 || words[0] != want {
			t.Errorf("the line %q says %q, want %s", label, words, want)
		}
	}
	line := d.out.whole("curl")
	if line == "" {
		t.Fatal("there is no curl line")
	}
	on := admin(d)
	shell := exec.Command("bash", "-c", line)
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("the printed curl line fails: %v\n%s", err, out)
	}
	within(t, time.Second, "the test alert stands in the queue", func() error {
		return on.get("/admin").says("A test alert")
	})

	d.stop()
	d.out = &output{}
	d.cmd = exec.Command(binary)
	d.cmd.Dir, d.cmd.Env = d.dir, append(environment(), fmt.Sprintf("STATUSBRIDGE_LISTEN=127.0.0.1:%d", port))
	d.run()
	d.ready()
	if strings.Contains(d.out.String(), d.password) || strings.Contains(d.out.String(), d.secret) {
		t.Error("the second start prints the secrets again")
	}
	signIn(d, "admin@localhost", d.password)
}

func TestSIGTERMFinishesTheRequestUnderWay(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{})
	body := message(true, labels{"alertname": "LastWords"}, time.Now())
	half := len(body) / 2
	address := strings.TrimPrefix(d.url, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /hooks/alertmanager HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		address, d.secret, len(body), body[:half])
	// Connections are accepted in order: once a later one is answered, ours is in.
	client.CloseIdleConnections()
	if err := isOK(d.url + "/healthz"); err != nil {
		t.Fatal(err)
	}

	d.signal(syscall.SIGTERM)
	eventually(t, "no new connection is accepted", func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return fmt.Errorf("one was")
		}
		return nil
	})
	stays(t, time.Second, "the daemon waits for the request under way", func() error {
		select {
		case <-d.done:
			return errors.New("it ended")
		default:
			return nil
		}
	})
	if _, err := conn.Write(body[half:]); err != nil {
		t.Fatalf("the rest of the request: %v", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the request under way is not answered: %v", err)
	}
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("the request under way is answered %s, want 202", resp.Status)
	}
	if code := d.exit(15 * time.Second); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	d.start()
	eventually(t, "its alert is known after the restart", func() error { return admin(d).get("/admin/alerts").says("LastWords") })
}

func TestS44SIGHUPLoadsNewRulesAndKeepsTheOldOnesWhenTheyAreBad(t *testing.T) {
	t.Parallel()
	d := launch(t, setup{rules: rulesConfirm})
	on := admin(d)
	if err := on.get("/admin/rules").says("checkout-down"); err != nil {
		t.Fatal(err)
	}

	d.write(d.rules, strings.ReplaceAll(rulesConfirm, "checkout-down", "checkout-gone"))
	d.signal(syscall.SIGHUP)
	eventually(t, "the new rules are in force", func() error { return on.get("/admin/rules").says("checkout-gone") })

	d.write(d.rules, strings.ReplaceAll(rulesConfirm, "group_by: [region]", "grouped_by: [region]"))
	d.signal(syscall.SIGHUP)
	eventually(t, "the admin sees what is wrong and where", func() error {
		return on.get("/admin/rules").says("grouped_by", "rules.yaml:9")
	})
	d.deliver("alertmanager", message(true, labels{"alertname": "CheckoutDown", "region": "eu"}, time.Now()))
	eventually(t, "the old rules still work", func() error { return on.get("/admin").says("Checkout is unavailable in eu") })
}

func TestBadRulesAtTheStartEndItAndSayWhere(t *testing.T) {
	t.Parallel()
	d := install(t, setup{rules: strings.Replace(rulesConfirm, "publish: confirm", "publish: perhaps", 1)})
	d.spawn("serve", "--config", d.config)
	if code := d.exit(patience); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	line := 1 + strings.Count(rulesConfirm[:strings.Index(rulesConfirm, "publish: confirm")], "\n")
	for _, want := range []string{fmt.Sprintf("rules.yaml:%d:", line), "publish: perhaps", "confirm"} {
		if !strings.Contains(d.out.String(), want) {
			t.Errorf("the error does not say %q", want)
		}
	}
}

func TestADatabaseThatCannotBeOpenedEndsTheStartWithAdvice(t *testing.T) {
	t.Parallel()
	d := install(t, setup{database: "sqlite:" + filepath.Join(os.TempDir(), "no", "such", "folder", "x.db")})
	d.spawn("serve", "--config", d.config)
	if code := d.exit(patience); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if out := strings.TrimSpace(d.out.String()); !strings.Contains(out, "folder") || strings.Contains(out, "goroutine") {
		t.Errorf("the error says %q", out)
	}
}
