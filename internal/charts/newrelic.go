package charts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/alerts"
	"github.com/statusbridge/statusbridge/internal/status"
)

const seriesQuestion = `query($account: Int!, $nrql: Nrql!) {
  actor { account(id: $account) { nrql(query: $nrql, timeout: 10) { results } } }
}`

// askNewRelic asks for the minutes of [from, to). NRQL gives at most 366 of them.
func askNewRelic(ctx context.Context, c Config, from, to time.Time) ([]status.Sample, error) {
	api, err := alerts.NewNerdGraph(ctx, c.APIKey, c.Region, c.URL)
	if err != nil {
		return nil, err
	}
	var data struct {
		Actor struct {
			Account *struct {
				NRQL *struct {
					Results []map[string]json.RawMessage `json:"results"`
				} `json:"nrql"`
			} `json:"account"`
		} `json:"actor"`
	}
	nrql := fmt.Sprintf("%s TIMESERIES 1 minute SINCE %d UNTIL %d", c.nrql(), from.UnixMilli(), to.UnixMilli())
	if err := api.Ask(seriesQuestion, map[string]any{"account": c.AccountID, "nrql": nrql}, &data); err != nil {
		return nil, err
	}
	if data.Actor.Account == nil || data.Actor.Account.NRQL == nil {
		return nil, fmt.Errorf("no word on account %d; may the key read it?", c.AccountID)
	}
	var out []status.Sample
	for _, row := range data.Actor.Account.NRQL.Results {
		var begin int64
		if err := json.Unmarshal(row["beginTimeSeconds"], &begin); err != nil {
			return nil, errors.New("the answer is no time series: a row has no beginTimeSeconds")
		}
		value, ok, err := valueOf(row)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, minute(c, time.Unix(begin, 0), value))
		}
	}
	return out, nil
}

// valueOf finds the one number of a row. It may lie in an object, as that of a
// percentile does; of an Apdex it is the score. null is no value.
func valueOf(row map[string]json.RawMessage) (float64, bool, error) {
	if score, ok := row["score"]; ok { // an Apdex without a name
		return number(score)
	}
	var found json.RawMessage
	for key, value := range row {
		switch {
		case key == "beginTimeSeconds" || key == "endTimeSeconds" || key == "inspectedCount" || key == "comparison":
		case found != nil:
			return 0, false, errors.New("the query gives several values; a chart draws one")
		default:
			found = value
		}
	}
	if strings.HasPrefix(string(found), "{") {
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(found, &inner); err != nil {
			return 0, false, err
		}
		return valueOf(inner)
	}
	return number(found)
}

func number(raw json.RawMessage) (float64, bool, error) {
	var v *float64
	if len(raw) == 0 {
		return 0, false, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return 0, false, fmt.Errorf("the query gives %.40s, which is no number", raw)
	}
	if v == nil {
		return 0, false, nil
	}
	return *v, true, nil
}

// minute is one measured sample.
func minute(c Config, at time.Time, v float64) status.Sample {
	return status.Sample{
		Chart: status.Slug(c.Name), Step: status.Tiers[0].Step, At: at.UTC().Truncate(status.Tiers[0].Step), Low: v, High: v, Mean: v,
	}
}

// finite reports whether a value can be kept and drawn.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
