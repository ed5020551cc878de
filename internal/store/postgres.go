package store

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// How long PostgreSQL may leave a call without an answer.
const (
	writeAnswer = 1500 * time.Millisecond // what webhooks wait for
	readAnswer  = 5 * time.Second
	longAnswer  = 10 * time.Minute // migrations, fan-out to every subscriber
)

// openPostgres makes one pool per patience, and a connection that listens.
func (s *Store) openPostgres(dsn string) error {
	s.dialect = postgresDialect
	dsn, err := splitHosts(dsn)
	if err != nil {
		return err
	}
	cfg, err := pq.NewConfig(dsn)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	cfg.BinaryParameters = false // poolers and mixed types do not bear it
	pool := func(answer time.Duration, conns, idle int) *sqlx.DB {
		c, _ := pq.NewConnectorConfig(cfg) // never fails
		c.Dialer(dialer{answer: answer})
		db := sql.OpenDB(c)
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(idle)
		db.SetConnMaxIdleTime(5 * time.Minute) // by then a failover may have made it stale
		return sqlx.NewDb(db, "postgres")
	}
	s.write = pool(writeAnswer, 8, 4)
	s.read = pool(readAnswer, 8, 4)
	s.long = pool(longAnswer, 2, 1)
	stop := s.listen(dsn, cfg)
	s.closer = append(s.closer, stop, s.read.Close, s.write.Close, s.long.Close)
	return nil
}

// splitHosts moves hosts that carry ports from the authority of the URL into
// parameters, where lib/pq reads several of them right.
func splitHosts(dsn string) (string, error) {
	scheme, rest, ok := strings.Cut(dsn, "://")
	if !ok {
		return "", fmt.Errorf("database: want postgres://USER@HOST/NAME")
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	user, authority := "", rest[:end]
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		user, authority = authority[:at+1], authority[at+1:]
	}
	if !strings.Contains(authority, ",") {
		return dsn, nil
	}
	var hosts, ports []string
	for _, part := range strings.Split(authority, ",") {
		host, port, err := net.SplitHostPort(part)
		if err != nil {
			host, port = strings.Trim(part, "[]"), "5432"
		}
		hosts, ports = append(hosts, host), append(ports, port)
	}
	u, err := url.Parse(scheme + "://" + user + rest[end:])
	if err != nil {
		return "", fmt.Errorf("database: the postgres:// address cannot be read; is a character of the password not %%-escaped?")
	}
	q := u.Query()
	q.Set("host", strings.Join(hosts, ","))
	q.Set("port", strings.Join(ports, ","))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// dialer bounds every wait for PostgreSQL, since lib/pq heeds no context while
// it waits for a server that went silent.
type dialer struct {
	answer time.Duration
	// patient connections listen: silence is their normal state, only an answer
	// to what we said is due in time.
	patient bool
}

func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.answer)
	defer cancel()
	var nd net.Dialer
	c, err := nd.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &timedConn{Conn: c, answer: d.answer, patient: d.patient}, nil
}

// timedConn sets a deadline on each read and write.
type timedConn struct {
	net.Conn
	answer  time.Duration
	patient bool
	sent    int // bytes since the last answer
}

// bytesPerSecond is how fast a slow server is trusted to digest what it got:
// a statement that saves ten thousand alerts is megabytes long, and its answer
// is due later than that of a small one.
const bytesPerSecond = 256 << 10

func (c *timedConn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(soon(c.answer)); err != nil {
		return 0, err
	}
	if c.patient { // a read is under way already, in another goroutine
		if err := c.Conn.SetReadDeadline(soon(c.answer)); err != nil {
			return 0, err
		}
		return c.Conn.Write(p)
	}
	c.sent += len(p)
	return c.Conn.Write(p)
}

func (c *timedConn) Read(p []byte) (int, error) {
	if c.patient {
		n, err := c.Conn.Read(p)
		if err == nil {
			err = c.Conn.SetReadDeadline(time.Time{})
		}
		return n, err
	}
	wait := c.answer + time.Duration(c.sent)*time.Second/bytesPerSecond
	if err := c.Conn.SetReadDeadline(soon(wait)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if err == nil {
		c.sent = 0
	}
	return n, err
}

// soon is the instant after d. Sockets want instants; only package app reads a
// clock, and a context is the one thing here that knows when it will end.
func soon(d time.Duration) time.Time {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	deadline, _ := ctx.Deadline()
	return deadline
}

// channel is what the replicas notify each other on.
const channel = "statusbridge_changed"

// listen wakes when another replica saved something, and after a connection
// was lost, because nobody knows what was missed.
func (s *Store) listen(dsn string, cfg pq.Config) (stop func() error) {
	if cfg.ConnectTimeout == 0 {
		sep := "?"
		if strings.Contains(dsn, "?") {
			sep = "&"
		}
		dsn += sep + "connect_timeout=2"
	}
	connected := func(event pq.ListenerEventType, _ error) {
		if event == pq.ListenerEventConnected {
			s.wakes.heard(0)
		}
	}
	l := pq.NewDialListener(dialer{answer: readAnswer, patient: true}, dsn, time.Second, 5*time.Second, connected)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := range l.Notify {
			revision := int64(0)
			if n != nil {
				revision, _ = strconv.ParseInt(n.Extra, 10, 64)
			}
			s.wakes.heard(revision)
		}
	}()
	go func() { _ = l.Listen(channel) }() // returns when connected or closed
	return func() error {
		err := l.Close()
		// With the server gone, the listener sleeps before it notices.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		select {
		case <-ended:
		case <-ctx.Done():
		}
		return err
	}
}
