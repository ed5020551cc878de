package broadcast

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/statusbridge/statusbridge/internal/broadcast/smtpsink"
	"github.com/statusbridge/statusbridge/internal/status"
)

func TestEveryLanguageSaysEverything(t *testing.T) {
	var tags []string
	for _, l := range Languages() {
		tags = append(tags, l.Tag)
	}
	if want := []string{"de", "en", "es", "fr", "ja", "pt-BR"}; !slices.Equal(tags, want) {
		t.Fatalf("languages are %v, want %v", tags, want)
	}
	blanks := regexp.MustCompile(`%(\[\d\])?[sd]`)
	fill := func(phrase string) []string {
		found := blanks.FindAllString(phrase, -1)
		slices.Sort(found)
		return found
	}
	english := languages["en"]
	for tag, l := range languages {
		for key, phrase := range english.Phrases {
			if l.Phrases[key] == "" || !slices.Equal(fill(l.Phrases[key]), fill(phrase)) {
				t.Errorf("%s: %s is %q, which fills in other things than %q", tag, key, l.Phrases[key], phrase)
			}
		}
		if len(l.Phrases) != len(english.Phrases) {
			t.Errorf("%s has %d phrases, English %d", tag, len(l.Phrases), len(english.Phrases))
		}
		if !slices.Equal(slices.Sorted(maps.Keys(l.States)), slices.Sorted(maps.Keys(stateWords))) {
			t.Errorf("%s has words for the states %v", tag, slices.Sorted(maps.Keys(l.States)))
		}
		for s := range componentWords {
			if l.Components[s] == "" {
				t.Errorf("%s has no word for %s", tag, s)
			}
		}
		for n, month := range l.Months {
			if month == "" {
				t.Errorf("%s has no month %d", tag, n+1)
			}
		}
		for _, says := range []string{status.SaysBegun, status.SaysCompleted, status.SaysCancelled, status.SaysMoved, status.SaysSeriesOff} {
			if tag != "en" && l.Says[says] == "" {
				t.Errorf("%s does not translate %q", tag, says)
			}
		}
	}
}

func TestASubscriberReadsTheirOwnLanguageInTheirOwnTimeZone(t *testing.T) {
	for tag, want := range map[string][]string{
		"de":    {"Wird untersucht: Checkout is unavailable in eu-west", "22. November 2026, 13:00 CET", "teilweise ausgefallen", "Sie erhalten diese Mail, weil ann@example.com", "Abmelden: https://"},
		"fr":    {"En cours d’analyse : Checkout", "22 novembre 2026 à 13:00 CET", "panne partielle", "Se désabonner : https://"},
		"es":    {"En investigación: Checkout", "22 de noviembre de 2026, 13:00 CET", "Darse de baja: https://"},
		"pt-BR": {"Em investigação: Checkout", "22 de novembro de 2026, 13:00 CET", "Cancelar inscrição: https://"},
		"ja":    {"調査中: Checkout", "2026年11月22日 13:00 CET", "配信を停止する: https://"},
		"en":    {"Investigating: Checkout", "22 November 2026, 13:00 CET", "Unsubscribe: https://"},
		"xx":    {"Investigating: Checkout"}, // what is not known is the page's
	} {
		m := firstMessage(t)
		m.Language, m.TimeZone = tag, "Europe/Berlin"
		l, _ := deliver(t, m)
		for _, words := range want {
			if !strings.Contains(l.text, words) {
				t.Errorf("%s: %q is not in\n%s", tag, words, l.text)
			}
		}
		if tag != "xx" && !strings.Contains(l.html, `<html lang="`+tag+`"`) {
			t.Errorf("%s: the HTML has another language", tag)
		}
		if l.Header("Subject") != "[Acme Status] Checkout is unavailable in eu-west" {
			t.Errorf("%s: the subject is %q: the thread would break", tag, l.Header("Subject"))
		}
	}
}

func TestThePageDecidesForThoseWhoChoseNothing(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	l, _ := deliver(t, firstMessage(t), func(c *EmailConfig) { c.Language, c.Zone = "de", berlin })
	if !strings.Contains(l.text, "Wird untersucht") || !strings.Contains(l.text, "13:00 CET") {
		t.Errorf("it says\n%s", l.text)
	}
}

func TestWhatAutomationSaysIsTranslatedAndWhatAPersonSaysIsNot(t *testing.T) {
	w := databaseWork()
	w.State, w.Updates[0].Body = status.Scheduled, status.SaysMoved
	m := addressed(mustCompose(t, Story{Event: status.EventMaintenanceMoved, Maintenance: &w, UpdateID: "w1", Components: newShelf().components}), "ann@example.com")
	m.Language = "de"
	l, _ := deliver(t, m)
	for _, want := range []string{"Verschoben: Database upgrade", "Die Wartung wurde auf einen anderen Zeitpunkt verschoben.", "Geplant vom 23. November 2026, 12:00 UTC bis zum 23. November 2026, 14:00 UTC (2 Stunden)."} {
		if !strings.Contains(l.text, want) {
			t.Errorf("%q is not in\n%s", want, l.text)
		}
	}
}

func TestAReminderSaysWhenItBegins(t *testing.T) {
	w := databaseWork()
	w.State = status.Scheduled
	story := Story{Event: status.EventMaintenanceReminder, Maintenance: &w, UpdateID: "r1", Components: newShelf().components}
	l, _ := deliver(t, addressed(mustCompose(t, story), "ann@example.com"))
	for _, want := range []string{"Reminder: Database upgrade", "We upgrade the database.", "It begins in 1 day.", "https://status.example.com/maintenance/m1\n"} {
		if !strings.Contains(l.text, want) {
			t.Errorf("%q is not in\n%s", want, l.text)
		}
	}
	w.State = status.Cancelled
	assertPermanent(t, "a reminder of what is off", story)
}

func TestUpdatesToldTogetherStandInOneMailTheNewestFirst(t *testing.T) {
	i := checkoutDown()
	story := issueStory(status.EventResolve, i, "u1")
	story.Joined = []string{"u2", "u3", "gone"}
	m := addressed(mustCompose(t, story), "ann@example.com")
	l, _ := deliver(t, m)
	order := -1
	for _, words := range []string{"Resolved: Checkout", "Checkout has recovered.", "It lasted 42 minutes", "Before that", "Identified, 22 November", "A bad deployment.", "Investigating, 22 November", "We are seeing failing checkouts"} {
		at := strings.Index(l.text, words)
		if at <= order {
			t.Errorf("%q is missing or stands too early in\n%s", words, l.text)
		}
		order = at
	}
	if !strings.Contains(l.html, "<strong>failing checkouts</strong>") || !strings.Contains(l.text, "#update-u3") {
		t.Errorf("the HTML lacks what came before, or the link leads elsewhere")
	}
}

func TestATextCannotPutARecipientsSecretIntoItsOwnLink(t *testing.T) {
	// What stands for the recipient's token in a draft is not to be guessed.
	if len(markToken) < 20 || markToken == markRecipient {
		t.Fatalf("the marks are %q and %q", markToken, markRecipient)
	}
	i := openCheckout()
	i.Updates[0].Body = "{{.Token}} %[1]s " + "https://evil.example/?token"
	l, _ := deliver(t, addressed(mustCompose(t, issueStory(status.EventOpen, i, "u1")), "ann@example.com"))
	if n := strings.Count(l.text, "tok-en_1"); n != 2 {
		t.Errorf("the token stands %d times in the text, want in the two links", n)
	}
}

func TestATestMailArrivesByItself(t *testing.T) {
	s := sink(t, smtpsink.Options{})
	answer, err := mailer(t, s).Test(t.Context(), "admin@acme.example", noon)
	if err != nil || answer == "" {
		t.Fatalf("answer %q (%v)", answer, err)
	}
	l := read(t, s.Messages()[0].Data)
	if l.Header("Subject") != "Test mail from Acme Status" || l.header.Get("List-Unsubscribe") != "" || !strings.Contains(l.text, "admin@acme.example") {
		t.Errorf("it is %q:\n%s", l.Header("Subject"), l.text)
	}
}
