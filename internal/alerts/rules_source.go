package alerts

import (
	"regexp"

	"go.yaml.in/yaml/v4"

	"github.com/statusbridge/statusbridge/internal/status"
)

var sourceName = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

func (c *checker) sources(n *yaml.Node) []status.Source {
	var out []status.Source
	c.pairs(n, "sources", func(key, value *yaml.Node) {
		if !sourceName.MatchString(key.Value) {
			c.report(key, "", "the source name %q cannot stand in a URL: use a-z, 0-9, dots, dashes and underscores", clipTo(key.Value, 60))
		}
		o, ok := c.object(value, "the source "+key.Value, "type", "peers", "receiver", "heartbeat")
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
	for _, key := range []string{"peers", "receiver"} {
		if o.has(key) != nil && s.Type == KindNewRelic {
			c.report(o.at(key), "", "%s is a key of sources of type %s", key, KindAlertmanager)
		}
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
	if n := o.has("heartbeat"); n != nil {
		s.Heartbeat = c.heartbeat(n)
	}
}

func (c *checker) address(n *yaml.Node, s string) bool {
	_, err := (&Poller{}).alertmanagerAPI(s)
	if err != nil {
		c.report(n, "write it like http://alertmanager-1:9093", "%q is no address", clipTo(s, 80))
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
