package alerts

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/status"
)

// alertmanagerMessage is what we use of an Alertmanager webhook of version 4.
// The group fields (status, groupKey, groupLabels, ...) are left alone on
// purpose: the group's status is computed from a list that may be cut, and
// groupKey changes with every edit of a route. So a custom payload is readable
// too if its `alerts` are Alertmanager's.
type alertmanagerMessage struct {
	Version         jsontext.Value   `json:"version"`
	Receiver        jsontext.Value   `json:"receiver"`
	Alerts          []jsontext.Value `json:"alerts"`
	TruncatedAlerts jsontext.Value   `json:"truncatedAlerts"`
	Extra           extra            `json:",embed"`
}

type alertmanagerAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
	Extra        extra             `json:",embed"`
}

var (
	alertmanagerMessageKeys = keysOf[alertmanagerMessage]()
	alertmanagerAlertKeys   = keysOf[alertmanagerAlert]()
)

func (e envelope) alertmanager(body []byte) (Reading, error) {
	m, said, err := e.alertmanagerMessage(body)
	if err != nil {
		return Reading{}, err
	}
	if err := refuseLookalikes(m.Extra, alertmanagerMessageKeys, ""); err != nil {
		return Reading{}, err
	}
	if len(m.Alerts) == 0 {
		return Reading{}, errors.New("the body has no alerts")
	}
	r := Reading{Events: len(m.Alerts), Facts: make([]status.Fact, 0, len(m.Alerts))}
	var remarks remarks
	receiver := unquoteMeta(text(m.Receiver))
	if err := e.alertmanagerAlerts(m.Alerts, said); err != nil {
		return Reading{}, err
	}
	for i, a := range said {
		f, err := e.alertmanagerFact(a, &remarks)
		if err != nil {
			// One bad alert must not silence its neighbours.
			remarks.unread++
			if remarks.why == nil {
				remarks.why = fmt.Errorf("alert %d %w", i+1, err)
			}
			continue
		}
		f.Receiver = receiver
		r.Facts = append(r.Facts, f)
	}
	if len(r.Facts) == 0 {
		return Reading{}, fmt.Errorf("no alert can be read: %w", remarks.why)
	}
	if n, err := strconv.Atoi(text(m.TruncatedAlerts)); err == nil && n > 0 {
		r.Truncated = n
	}
	r.Note = remarks.text(text(m.Version), r.Truncated)
	return r, nil
}

// unquoteMeta takes back regexp.QuoteMeta, which Alertmanager applies to the
// name of the receiver.
func unquoteMeta(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return status.Clip(b.String(), maxIdentity)
}

// alertmanagerSaid is what the text of an alert says, whenever it comes. It is
// shared by all who read that text, and never changed.
type alertmanagerSaid struct {
	size        int // of the text, in bytes
	firing      bool
	labels      map[string]string
	annotations map[string]string
	start, end  time.Time
	url         string
	fingerprint string // of the labels
	claimed     string // the fingerprint that the text gives
	err         error  // why nothing can be made of it
}

// alertmanagerMessage reads a message, and tells which of its alerts are known:
// their texts are cut out before the rest is read.
func (e envelope) alertmanagerMessage(body []byte) (m alertmanagerMessage, said []*alertmanagerSaid, err error) {
	if e.known != nil {
		spans := alertSpans(body)
		said = e.known.look(body, spans)
		if unmarshal(cut(body, spans, said), &m) == nil && len(m.Alerts) == len(spans) {
			return m, said, nil
		}
		m = alertmanagerMessage{} // the error must fit what was sent
	}
	err = unmarshal(body, &m)
	return m, make([]*alertmanagerSaid, len(m.Alerts)), err
}

// alertmanagerAlerts reads those alerts of a message that are not known.
func (e envelope) alertmanagerAlerts(list []jsontext.Value, said []*alertmanagerSaid) error {
	for i, v := range list {
		if said[i] != nil {
			continue
		}
		var a alertmanagerAlert
		if err := unmarshalAt(fmt.Sprintf("/alerts/%d", i), v, &a); err != nil {
			return err
		}
		if err := refuseLookalikes(a.Extra, alertmanagerAlertKeys, ""); err != nil {
			return fmt.Errorf("alert %d: %w", i+1, err)
		}
		said[i] = a.said(len(v))
		e.known.learn(v, said[i])
	}
	return nil
}

func (a alertmanagerAlert) said(size int) *alertmanagerSaid {
	s := &alertmanagerSaid{
		size: size, firing: a.Status == "firing", labels: a.Labels, annotations: a.Annotations,
		start: a.StartsAt, end: a.EndsAt, url: webURL(a.GeneratorURL), claimed: a.Fingerprint,
	}
	switch {
	case len(a.Labels) == 0:
		s.err = errors.New("has no labels")
	case a.Status != "firing" && a.Status != "resolved":
		s.err = fmt.Errorf("has the status %.20q, neither firing nor resolved", a.Status)
	default:
		s.fingerprint = fingerprint(a.Labels)
	}
	return s
}

func (e envelope) alertmanagerFact(a *alertmanagerSaid, notes *remarks) (status.Fact, error) {
	if a.err != nil {
		return status.Fact{}, a.err
	}
	f := e.fact()
	f.Firing, f.Labels, f.Annotations, f.URL, f.Fingerprint = a.firing, a.labels, a.annotations, a.url, a.fingerprint
	e.times(&f, a.start, a.end)
	switch a.claimed {
	case f.Fingerprint:
	case "":
		notes.noFingerprint++
	default:
		notes.otherFingerprint++
	}
	return f, nil
}

// fingerprint is the identity of a label set, computed as Alertmanager does.
func fingerprint(labels map[string]string) string {
	return model.Fingerprint(model.LabelsToSignature(labels)).String()
}

// remarks counts what was odd in a message.
type remarks struct {
	noFingerprint    int
	otherFingerprint int
	unread           int
	why              error // of the first unread alert
}

func (s remarks) text(version string, truncated int) string {
	var all []string
	if version != "" && version != "4" {
		all = append(all, fmt.Sprintf("message version %.20q read as 4", version))
	}
	if truncated > 0 {
		all = append(all, fmt.Sprintf("Alertmanager left out %d more (max_alerts)", truncated))
	}
	if s.noFingerprint > 0 {
		all = append(all, fmt.Sprintf("%d without a fingerprint: computed from the labels", s.noFingerprint))
	}
	if s.otherFingerprint > 0 {
		all = append(all, fmt.Sprintf("%d with a fingerprint that does not fit the labels: computed again", s.otherFingerprint))
	}
	if s.unread > 0 {
		all = append(all, fmt.Sprintf("%d not read: %v", s.unread, s.why))
	}
	return notes(all)
}
