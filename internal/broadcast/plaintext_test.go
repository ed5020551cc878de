package broadcast

import (
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/status"
)

func TestPlainTextOfAMailReadsAsIfAPersonHadWrittenIt(t *testing.T) {
	for source, want := range map[string]string{
		"We see **failing** _checkouts_ in `eu-west`.":            "We see failing checkouts in eu-west.",
		"See [the guide](https://docs.example.com/a?b=1&c=2).":    "See the guide (https://docs.example.com/a?b=1&c=2).",
		"[https://a.example/](https://a.example/)":                "https://a.example/",
		"See https://a.example/x_y_z and <https://b.example>.":    "See https://a.example/x_y_z and https://b.example.",
		"Write to [us](mailto:help@example.com).":                 "Write to us (help@example.com).",
		"[click](javascript:alert(1)) [here](/relative)":          "click here",
		"Affected:\n\n* Card\n* **PayPal**\n    1. EU\n    2. US": "Affected:\n\n- Card\n- PayPal\n  1. EU\n  2. US",
		"3. three\n4. four\n\n   more of four":                    "3. three\n\n4. four\n\n   more of four",
		"# What happened\n\nA *bad* deployment.\n\n***\n\nEnd.":   "What happened\n\nA bad deployment.\n\n---\n\nEnd.",
		"> Quoted\n>\n> twice":                                    "> Quoted\n>\n> twice",
		"```sh\ncurl '*'\n\n  x\n```":                             "    curl '*'\n\n      x",
		"one\ntwo  \nthree":                                       "one\ntwo\nthree",
		`2 \* 3 &lt; 7 &amp; 2 * 3 = 6, \&amp;`:                   "2 * 3 < 7 & 2 * 3 = 6, &amp;",
		"It is ~~not~~ our fault.":                                "It is ~~not~~ our fault.",
		"![a *map*](https://a.example/m.png)":                     "a map",
		"a <b>bold</b> word\n\n<script>x</script>":                "a bold word",
		"turned &#x202e;around":                                   "turned around",
		"no markup at all_here_":                                  "no markup at all_here_",
		"":                                                        "",
	} {
		if got := readable(source); got != want {
			t.Errorf("%q reads\n%q, want\n%q", source, got, want)
		}
	}
}

func TestTheTextOfAMailHasNoStars(t *testing.T) {
	i := openCheckout()
	i.Updates[0].Body = "We see **failing checkouts**: [details](https://a.example/).\n\n* Card\n* PayPal"
	m := mustCompose(t, issueStory(status.EventOpen, i, "u1"))
	d, err := mailer(t, sink(t, smtpsink.Options{})).write(m)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(d.text, "*") || !strings.Contains(d.text, "We see failing checkouts: details (https://a.example/).\n\n- Card\n- PayPal\n") {
		t.Errorf("the text is\n%s", d.text)
	}
}
