package charts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/status"
)

// longestAnswer bounds an answer: a series of hours is some kilobytes.
const longestAnswer = 4 << 20

// rangeAnswer is what /api/v1/query_range answers; see "HTTP API" in the
// documentation of Prometheus. Its own Go client would bring a second JSON
// library along for this one question.
type rangeAnswer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		Type   string       `json:"resultType"`
		Result model.Matrix `json:"result"`
	} `json:"data"`
}

// askPrometheus asks for the minutes of [from, to).
func askPrometheus(ctx context.Context, c Config, from, to time.Time) ([]status.Sample, error) {
	form := url.Values{
		"query": {c.Query}, "step": {"60"},
		"start": {strconv.FormatInt(from.Add(time.Minute).Unix(), 10)}, "end": {strconv.FormatInt(to.Unix(), 10)},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(c.URL, "/")+"/api/v1/query_range", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	} else if c.Username != "" {
		r.SetBasicAuth(c.Username, c.Password)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer+1))
	if err != nil {
		return nil, err
	}
	var answer rangeAnswer
	broken := json.Unmarshal(body, &answer)
	switch {
	case len(body) > longestAnswer:
		return nil, errors.New("the answer is too long to be one series")
	case answer.Error != "":
		return nil, fmt.Errorf("refused: %s", status.Clip(answer.Error, 300))
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("answered %s", resp.Status)
	case broken != nil || answer.Status != "success" || answer.Data.Type != "matrix":
		return nil, errors.New("the answer is not what Prometheus answers; is the url right?")
	case len(answer.Data.Result) > 1:
		return nil, fmt.Errorf("the query gives %d series; a chart draws one: use sum(...) or name more labels", len(answer.Data.Result))
	}
	var out []status.Sample
	for _, stream := range answer.Data.Result {
		for _, pair := range stream.Values {
			// What a query gives at the end of a minute is the value of that minute.
			out = append(out, minute(c, pair.Timestamp.Time().Add(-time.Minute), float64(pair.Value)))
		}
	}
	return out, nil
}
