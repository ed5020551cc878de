package alerts

import (
	"regexp"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

var sourceName = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

func (c *checker) sources(n *yaml.Node) []status.Source {
	var out []status.Source
	c.pairs(n, "sources", func(key, value *yaml.Node) {
		if !sourceName.MatchString(key.Value) {
			c.report(key, "", "the source name %q cannot stand in a URL: use a-z, 0-9, dots, dashes and underscores", status.Clip(key.Value, 60))
		}
		o, ok := c.object(value, "the source "+key.Value, "type", "peers", "receiver", "heartbeat", "poll_every", "min_uptime",
			"account_id", "region", "api_key_env", "api_url")
		if !ok {
			return
		}
		s := status.Source{Name: key.Value}
		if t := o.has("type"); t == nil {
			c.report(key, "", "the source %s has no type: %s", key.Value, oneOf([]string{KindAlertmanager, KindNewRelic}))
		} else {
			s.Type, _ = c.word(t, "type", []string{KindAlertmanager, KindNewRelic})
		}
		c.sourceKeys(o, &s)
		out = append(out, s)
	})
	return out
}

// sourceKeys reads the keys that belong to one type of source only.
func (c *checker) sourceKeys(o object, s *status.Source) {
	if s.Type == KindNewRelic {
		c.foreign(o, KindAlertmanager, "peers", "receiver", "min_uptime")
		c.newRelicKeys(o, s)
	} else if s.Type == KindAlertmanager {
		c.foreign(o, KindNewRelic, "account_id", "region", "api_key_env", "api_url")
	}
	if n := o.has("peers"); n != nil {
		for _, e := range c.list(n, "peers") {
			if p, ok := c.text(e, "a peer"); ok && c.address(e, p) {
				s.Peers = append(s.Peers, p)
			}
		}
	}
	if n := o.has("receiver"); n != nil {
		s.Receiver, _ = c.text(n, "receiver")
	}
	s.PollEvery, s.MinUptime = c.span(o, "poll_every"), c.span(o, "min_uptime")
	if n := o.has("heartbeat"); n != nil {
		s.Heartbeat = c.heartbeat(n)
	}
}

// span reads a duration of a second or more; 0 if the key is not there.
func (c *checker) span(o object, key string) time.Duration {
	n := o.has(key)
	if n == nil {
		return 0
	}
	d := c.duration(n, key)
	if d < time.Second {
		c.report(n, "", "%s must be a second or more", key)
	}
	return d
}

// foreign reports the keys of another type of source.
func (c *checker) foreign(o object, kind string, keys ...string) {
	for _, key := range keys {
		if o.has(key) != nil {
			c.report(o.at(key), "", "%s is a key of sources of type %s", key, kind)
		}
	}
}

// variable is what environment variables are called. A key pasted in its place
// has a dash.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ourKeyEnv is the variable of an api_key_env that names none.
const ourKeyEnv = "NEW_RELIC_API_KEY"

// newRelicKeys reads how New Relic is asked. It is only if api_key_env is
// written, if need be with nothing behind it: many a file names the account for
// people to read, and a source that is asked without a key answers nothing, so
// that nothing of it would resolve by itself.
func (c *checker) newRelicKeys(o object, s *status.Source) {
	if n := o.has("account_id"); n != nil {
		s.AccountID = c.number(n, "account_id", 1, 1<<31-1)
	}
	if n := o.has("region"); n != nil {
		s.Region, _ = c.word(n, "region", []string{"us", "eu"})
	}
	if n := o.has("api_key_env"); n != nil {
		s.APIKeyEnv = c.keyEnv(n)
		if o.has("account_id") == nil {
			c.report(o.at("api_key_env"), "add account_id: 1234567", "New Relic cannot be asked without account_id")
		}
	}
	if n := o.has("api_url"); n != nil {
		s.APIURL, _ = c.text(n, "api_url")
		if !isWebAddress(s.APIURL) {
			c.report(n, "write it like https://api.newrelic.com/graphql", "api_url is no http or https address")
		}
	}
}

func (c *checker) keyEnv(n *yaml.Node) string {
	if isNull(n) {
		return ourKeyEnv
	}
	name, ok := c.text(n, "api_key_env")
	if ok && !variable.MatchString(name) {
		c.report(n, "put the key into "+ourKeyEnv+", and write that name here", "api_key_env must be the name of an environment variable")
	}
	return name
}

func (c *checker) address(n *yaml.Node, s string) bool {
	_, err := newAlertmanagerPeer(s, nil)
	if err != nil {
		c.report(n, "write it like http://alertmanager-1:9093", "%q is no address", status.Clip(s, 80))
	}
	return err == nil
}

func (c *checker) heartbeat(n *yaml.Node) status.Heartbeat {
	o, ok := c.object(n, "heartbeat", "matchers", "max_age")
	if !ok {
		return status.Heartbeat{}
	}
	h := status.Heartbeat{Matchers: c.requiredMatchers(o, "the heartbeat")}
	if v := o.has("matchers"); v != nil && len(v.Content) == 0 {
		c.report(v, "", "a heartbeat that matches every alert would swallow them all")
	}
	if v := o.has("max_age"); v == nil {
		c.report(o.node, "", "the heartbeat has no max_age: how old may the last one be?")
	} else if h.MaxAge = c.duration(v, "max_age"); h.MaxAge <= 0 {
		c.report(v, "", "max_age must be more than nothing")
	}
	return h
}
