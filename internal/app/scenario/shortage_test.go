package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hook posts an alert and tells the answer; an error when there is none.
func (d *daemon) hook(name string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodPost, d.url+"/hooks/alertmanager", bytes.NewReader(message(true, labels{"alertname": name}, time.Now())))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+d.secret)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp, resp.Body.Close()
}

// processed asks /metrics how many webhooks were understood.
func (d *daemon) processed(want int) error {
	req, err := http.NewRequest(http.MethodGet, d.url+"/metrics", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.secret)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if line := fmt.Sprintf("statusbridge_webhooks_processed_total{verdict=\"understood\"} %d\n", want); err == nil && !strings.Contains(string(text), line) {
		return errors.New("there is no " + line)
	}
	return err
}

// What was acknowledged before the disk was full is processed; what cannot be
// stored is refused, so that Alertmanager sends it again; the page stays.
func TestAFullDiskRefusesWebhooksKeepsThePageAndIsGotOver(t *testing.T) {
	t.Parallel()
	d := install(t, setup{})
	disk := filepath.Join(d.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	d.write(d.config, strings.NewReplacer("data_dir: "+d.dir, "data_dir: "+disk, "statusbridge.db", "disk/statusbridge.db").Replace(string(config)))
	d.cmd = exec.Command(tool(t, "unshare"), "--user", "--map-root-user", "--mount", "sh", "-c",
		`mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"`, disk, binary, "serve", "--config", d.config)
	d.cmd.Dir, d.cmd.Env = d.dir, environment()
	d.run()
	d.ready()
	inside := fmt.Sprintf("/proc/%d/root%s", d.cmd.Process.Pid, disk) // as the daemon sees it
	accepted := 0
	post := func() int {
		t.Helper()
		resp, err := d.hook(fmt.Sprintf("Alert%d", accepted))
		if err != nil {
			t.Fatal(err)
		}
		switch resp.StatusCode {
		case http.StatusAccepted:
			accepted++
		case http.StatusServiceUnavailable:
			if resp.Header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
		default:
			t.Errorf("a webhook is answered with %s", resp.Status)
		}
		return resp.StatusCode
	}
	if code := post(); code != http.StatusAccepted {
		t.Fatalf("before: %d", code)
	}

	ballast := filepath.Join(inside, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	for n := 0; post() == http.StatusAccepted; n++ {
		if n > 500 {
			t.Fatal("webhooks go on being accepted")
		}
	}
	if err := isOK(d.url + "/"); err != nil {
		t.Errorf("the page: %v", err)
	}
	d.unready("is the disk full?")

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, "webhooks are accepted again", func() error {
		if code := post(); code != http.StatusAccepted {
			return fmt.Errorf("answered with %d", code)
		}
		return nil
	})
	eventually(t, "the daemon is ready again", func() error { return isOK(d.url + "/readyz") })
	eventually(t, "all that was acknowledged is processed", func() error { return d.processed(accepted) })
	d.stop()
}

func TestConnectionsThatTakeAllDescriptorsAreOutlived(t *testing.T) {
	t.Parallel()
	d := install(t, setup{})
	d.cmd = exec.Command("sh", "-c", `ulimit -n 40 && exec "$@"`, "sh", binary, "serve", "--config", d.config)
	d.cmd.Dir, d.cmd.Env = d.dir, environment()
	d.run()
	d.ready()
	resp, err := d.hook("Before") // its connection stays
	if err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("before: %v %v", resp, err)
	}
	var crowd []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		crowd = append(crowd, conn)
	}
	eventually(t, "the log names the shortage", func() error {
		if !strings.Contains(d.out.String(), "too many open files") {
			return errors.New("it does not")
		}
		return nil
	})
	if err := isOK(d.url + "/"); err != nil {
		t.Errorf("the page, on a connection that was there before: %v", err)
	}
	for _, conn := range crowd {
		_ = conn.Close()
	}
	client.CloseIdleConnections()
	accepted := 1
	eventually(t, "webhooks are accepted on new connections", func() error {
		resp, err := d.hook("After")
		if err == nil && resp.StatusCode != http.StatusAccepted {
			err = errors.New(resp.Status)
		}
		if err == nil {
			accepted++
		}
		return err
	})
	eventually(t, "both are processed", func() error { return d.processed(accepted) })
	d.stop()
}
