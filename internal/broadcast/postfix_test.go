package broadcast

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
)

// postfixServices is a master.cf with what takes mail in, passes it on, and
// writes to the sender about what it cannot deliver.
const postfixServices = `127.0.0.1:%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// postfix starts Debian's Postfix, which passes everything on to the sink, and
// returns smtp.url for it.
func postfix(t *testing.T, s *smtpsink.Sink) string {
	t.Helper()
	if _, err := exec.LookPath("postfix"); err != nil {
		t.Fatal("Postfix is missing; run make tools, or apt-get install -y --no-install-recommends postfix")
	}
	if os.Getuid() != 0 {
		t.Fatal("Postfix starts as root only; run the tests as root, as make test says")
	}
	dir, err := os.MkdirTemp("", "postfix-") // short: sockets are in it, and others must enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	_, sinkPort, _ := net.SplitHostPort(s.Address())
	for _, sub := range []string{"etc", "spool", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	settings := fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.acme.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:%[2]s
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_data_restrictions = reject_unauth_pipelining
maillog_file = /dev/stdout
`, dir, sinkPort)
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	if err := os.Chown(filepath.Join(dir, "data"), uid, -1); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"main.cf": settings, "master.cf": fmt.Sprintf(postfixServices, port)} {
		if err := os.WriteFile(filepath.Join(dir, "etc", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("postfix", "-c", filepath.Join(dir, "etc"), "start-fg")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &log, &log, 5*time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("postfix", "-c", filepath.Join(dir, "etc"), "stop").Run()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := wait(within(t, 30*time.Second), func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}); err != nil {
		t.Fatalf("Postfix does not start: %v\n%s", err, log.String())
	}
	return "smtp://" + address + "?tls=none"
}

func TestMailPassesARealPostfixAndWhatItCannotDeliverComesBack(t *testing.T) {
	t.Parallel()
	s := sink(t, smtpsink.Options{})
	s.Refuse("gone@example.com", smtpsink.Answer{Stage: smtpsink.AtRcpt, Code: 550, Text: "5.1.1 <gone@example.com>: user unknown"})
	keys, lookup := signingKeys(t)
	e := mailer(t, s, func(c *EmailConfig) { c.URL, c.DKIM, c.Connections = postfix(t, s), keys, 2 })
	const people = 40
	failures := make(chan error, people)
	for i := range people {
		go func() {
			m := firstMessage(t)
			m.Recipient, m.DeliveryID = fmt.Sprintf("person%d@example.com", i), fmt.Sprintf("u1.email.s%d", i)
			if i == 7 {
				m.Recipient = "gone@example.com"
			}
			_, err := e.Send(t.Context(), m)
			failures <- err
		}()
	}
	for range people {
		if err := <-failures; err != nil {
			t.Error(err) // Postfix takes all, also the one that it cannot deliver
		}
	}
	came, err := s.Wait(within(t, time.Minute), people) // 39 and the report
	if err != nil {
		t.Fatal(err)
	}
	reached, reports := map[string]bool{}, 0
	for _, m := range came {
		if m.From == "" {
			reports++
			returned, err := ReadReturned(bytes.NewReader(m.Data))
			if err != nil || len(returned.Bounces) != 1 {
				t.Fatalf("the report says %+v (%v):\n%s", returned, err, m.Data)
			}
			b := returned.Bounces[0]
			if m.To[0] != "status@acme.example" || b.Address != "gone@example.com" || b.DeliveryID != "u1.email.s7" || !b.Hard || !strings.Contains(b.Reason, "user unknown") {
				t.Errorf("the report to %v says %+v", m.To, b)
			}
			continue
		}
		reached[m.To[0]] = true
		if n := len(verify(t, m.Data, lookup)); n != 2 {
			t.Errorf("%d signatures hold after Postfix", n)
		}
		l := read(t, m.Data)
		if l.Header("Subject") != "[Acme Status] Checkout is unavailable in eu-west" || l.header.Get("To") != "<"+m.To[0]+">" ||
			l.header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.Contains(l.text, "We are seeing") {
			t.Errorf("the mail to %v is %v", m.To, l.header)
		}
	}
	if len(reached) != people-1 || reports != 1 {
		t.Errorf("%d were reached and %d reports came", len(reached), reports)
	}
}
