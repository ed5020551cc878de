package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What is used of the answers of Alertmanager's API v2 (api/v2/openapi.yaml in
// its source). Its generated Go client would bring 84 packages and 2.6 MB
// along for three GETs.
type (
	peerAlert struct {
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		UpdatedAt    time.Time         `json:"updatedAt"`
		GeneratorURL string            `json:"generatorURL"`
		Fingerprint  string            `json:"fingerprint"`
		Receivers    []peerReceiver    `json:"receivers"`
		Status       struct {
			State string `json:"state"` // active, suppressed or unprocessed
		} `json:"status"`
	}
	peerReceiver struct {
		Name string `json:"name"`
	}
	peerStatus struct {
		Uptime  time.Time `json:"uptime"` // since when it runs
		Version struct {
			Version string `json:"version"`
		} `json:"versionInfo"`
		Config struct {
			Original *string `json:"original"`
		} `json:"config"`
		Cluster struct {
			Status string            `json:"status"`
			Peers  []json.RawMessage `json:"peers"`
		} `json:"cluster"`

		date time.Time // by its clock; zero: not said
	}
)

// alertmanagerPeer asks one Alertmanager.
type alertmanagerPeer struct {
	url  *url.URL
	http *http.Client
}

func newAlertmanagerPeer(address string, client *http.Client) (alertmanagerPeer, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return alertmanagerPeer{}, errors.New("a peer is not an address such as http://alertmanager:9093")
	}
	return alertmanagerPeer{url: u, http: client}, nil
}

func (p alertmanagerPeer) status(ctx context.Context) (peerStatus, error) {
	var out peerStatus
	date, err := p.get(ctx, "status", nil, &out)
	out.date = date
	return out, err
}

func (p alertmanagerPeer) receivers(ctx context.Context) (names []string, err error) {
	var list []peerReceiver
	_, err = p.get(ctx, "receivers", nil, &list)
	for _, r := range list {
		names = append(names, r.Name)
	}
	return names, err
}

// alerts are all that fire, the silenced and inhibited ones included.
func (p alertmanagerPeer) alerts(ctx context.Context) (list []peerAlert, err error) {
	yes := []string{"true"}
	_, err = p.get(ctx, "alerts", url.Values{"active": yes, "silenced": yes, "inhibited": yes, "unprocessed": yes}, &list)
	return list, err
}

// longestPeerAnswer bounds what a peer may say: 60,000 alerts of 1 kB.
const longestPeerAnswer = 64 << 20

// get asks one question, and returns what the peer's clock shows.
func (p alertmanagerPeer) get(ctx context.Context, question string, query url.Values, answer any) (date time.Time, err error) {
	address := *p.url
	address.User, address.RawQuery = nil, query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.JoinPath("api/v2", question).String(), nil)
	if err != nil {
		return date, err
	}
	r.Header.Set("Accept", "application/json")
	if p.url.User != nil {
		password, _ := p.url.User.Password()
		r.SetBasicAuth(p.url.User.Username(), password)
	}
	resp, err := p.http.Do(r)
	if err != nil {
		return date, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return date, fmt.Errorf("%s is answered with %s", strings.TrimPrefix(r.URL.Path, p.url.Path), resp.Status)
	}
	date, _ = http.ParseTime(resp.Header.Get("Date"))
	body := &io.LimitedReader{R: resp.Body, N: longestPeerAnswer}
	if err := json.NewDecoder(body).Decode(answer); err != nil {
		if body.N <= 0 {
			return date, fmt.Errorf("the answer is longer than %d MB", longestPeerAnswer>>20)
		}
		return date, fmt.Errorf("not the answer of an Alertmanager: %w", err)
	}
	return date, nil
}
