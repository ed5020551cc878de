package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/statusbridge/statusbridge/internal/status"
)

var termForm = regexp.MustCompile(`^\s*(alerts|open_for|severity)\s*(>=|<=|==|!=|=|>|<)\s*"?([A-Za-z0-9]+)"?\s*$`)

// parseCondition reads a condition such as `alerts >= 5 or open_for >= 20m`.
func parseCondition(text string) (status.Condition, error) {
	c := status.Condition{Text: text}
	for _, alternative := range splitWord(text, "or") {
		var all []status.Term
		for _, part := range splitWord(alternative, "and") {
			t, err := parseTerm(part)
			if err != nil {
				return status.Condition{}, err
			}
			all = append(all, t)
		}
		c.Any = append(c.Any, all)
	}
	return c, nil
}

func splitWord(s, word string) []string {
	return regexp.MustCompile(`(?i)\s+`+word+`\s+`).Split(s, -1)
}

func parseTerm(s string) (status.Term, error) {
	m := termForm.FindStringSubmatch(s)
	if m == nil {
		return status.Term{}, fmt.Errorf("%q is no condition; write such as alerts >= 5, open_for >= 20m or severity = critical", strings.TrimSpace(s))
	}
	t := status.Term{Field: m[1], Op: m[2]}
	if t.Op == "=" {
		t.Op = "=="
	}
	switch t.Field {
	case "alerts":
		n, err := strconv.Atoi(m[3])
		if err != nil {
			return status.Term{}, fmt.Errorf("%q: alerts is compared with a number", strings.TrimSpace(s))
		}
		t.Number = n
	case "open_for":
		d, err := model.ParseDuration(m[3])
		if err != nil {
			return status.Term{}, fmt.Errorf("%q: open_for is compared with a duration such as 20m", strings.TrimSpace(s))
		}
		t.Duration = time.Duration(d)
	case "severity":
		if !slices.Contains(status.Levels, m[3]) {
			return status.Term{}, fmt.Errorf("%q: severity is critical, warning or info", strings.TrimSpace(s))
		}
		t.Level = m[3]
	}
	return t, nil
}
