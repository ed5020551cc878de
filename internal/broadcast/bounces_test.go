package broadcast

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/statusbridge/statusbridge/internal/status"
)

func TestBounceReportsOfMailServicesAreUnderstood(t *testing.T) {
	const ses = `{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[
		{"emailAddress":"ann@example.com","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},
		"mail":{"headersTruncated":false,"headers":[{"name":"From","value":"x"},{"name":"From","value":"y"},{"name":"X-Statusbridge-Delivery","value":"u1.email.s1"}]}}`
	for name, c := range map[string]struct {
		body string
		want status.Bounce
	}{
		"SES by SNS": {
			`{"Type":"Notification","MessageId":"1","Message":` + quote(ses) + `}`,
			status.Bounce{Address: "ann@example.com", DeliveryID: "u1.email.s1", Hard: true, Reason: "SES: Permanent General 5.1.1 smtp; 550 5.1.1 user unknown"},
		},
		"SES event": {
			strings.Replace(ses, "notificationType", "eventType", 1),
			status.Bounce{Address: "ann@example.com", DeliveryID: "u1.email.s1", Hard: true, Reason: "SES: Permanent General 5.1.1 smtp; 550 5.1.1 user unknown"},
		},
		"SES, mailbox full": {
			`{"notificationType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","bouncedRecipients":[{"emailAddress":"ann@example.com"}]}}`,
			status.Bounce{Address: "ann@example.com", Reason: "SES: Transient MailboxFull"},
		},
		"SES complaint": {
			`{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"ann@example.com"}],"complaintFeedbackType":"abuse"},"mail":{}}`,
			status.Bounce{Address: "ann@example.com", Complaint: true, Reason: "SES: complaint abuse"},
		},
		"Postmark": {
			`{"RecordType":"Bounce","ID":42,"Type":"HardBounce","TypeCode":1,"Name":"Hard bounce","MessageID":"8837","Description":"The server was unable to deliver your message.","Details":"smtp;550 5.1.1 unknown","Email":"ann@example.com","Inactive":true,"CanActivate":true}`,
			status.Bounce{Address: "ann@example.com", Hard: true, Reason: "Postmark: HardBounce smtp;550 5.1.1 unknown The server was unable to deliver your message."},
		},
		"Postmark, soft": {
			`{"RecordType":"Bounce","Type":"SoftBounce","Email":"ann@example.com","Details":"mailbox full"}`,
			status.Bounce{Address: "ann@example.com", Reason: "Postmark: SoftBounce mailbox full"},
		},
		"Postmark complaint": {
			`{"RecordType":"SpamComplaint","Type":"SpamComplaint","Email":"ann@example.com"}`,
			status.Bounce{Address: "ann@example.com", Complaint: true, Reason: "Postmark: SpamComplaint"},
		},
		"SendGrid": {
			`[{"email":"bob@example.com","event":"processed","timestamp":1},{"email":"ann@example.com","event":"bounce","type":"bounce","status":"5.1.1","reason":"550 no such user","sg_event_id":"x"}]`,
			status.Bounce{Address: "ann@example.com", Hard: true, Reason: "SendGrid: bounce 5.1.1 550 no such user"},
		},
		"SendGrid, blocked": {
			`[{"email":"ann@example.com","event":"bounce","type":"blocked","reason":"552 listed"}]`,
			status.Bounce{Address: "ann@example.com", Reason: "SendGrid: bounce 552 listed"},
		},
		"SendGrid complaint": {
			` [{"email":"ann@example.com","event":"spamreport"}]`,
			status.Bounce{Address: "ann@example.com", Complaint: true, Reason: "SendGrid: spamreport"},
		},
		"Mailgun": {
			`{"signature":{"token":"t","timestamp":"1","signature":"s"},"event-data":{"event":"failed","severity":"permanent","reason":"bounce","recipient":"ann@example.com","delivery-status":{"code":550,"message":"5.1.1 no such user","description":""}}}`,
			status.Bounce{Address: "ann@example.com", Hard: true, Reason: "Mailgun: permanent 5.1.1 no such user"},
		},
		"Mailgun, our text": {
			`{"event-data":{"event":"failed","severity":"permanent","reason":"generic","recipient":"ann@example.com","delivery-status":{"message":"spam"}}}`,
			status.Bounce{Address: "ann@example.com", Reason: "Mailgun: permanent spam"},
		},
		"Mailgun complaint": {
			`{"event-data":{"event":"complained","recipient":"ann@example.com"}}`,
			status.Bounce{Address: "ann@example.com", Complaint: true, Reason: "Mailgun: complaint"},
		},
	} {
		got, err := ReadBounces([]byte(c.body))
		if err != nil || !slices.Equal(got, []status.Bounce{c.want}) {
			t.Errorf("%s: got %+v (%v), want %+v", name, got, err, c.want)
		}
	}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

func TestEventsThatAreNoBounceSayNothing(t *testing.T) {
	for _, body := range []string{
		`{"notificationType":"Delivery","mail":{}}`, `{"RecordType":"Delivery","Email":"a@b"}`, `[{"event":"open","email":"a@b"}]`, `[]`,
		`{"event-data":{"event":"delivered","recipient":"a@b"}}`, `{"event-data":{"event":"failed","severity":"temporary","recipient":"a@b"}}`,
	} {
		if got, err := ReadBounces([]byte(body)); len(got) != 0 || err != nil {
			t.Errorf("%s: %+v (%v)", body, got, err)
		}
	}
	for _, body := range []string{"", "x", `{"hello":"world"}`, `{`, `[1]`} {
		if _, err := ReadBounces([]byte(body)); err == nil {
			t.Errorf("%q is understood", body)
		}
	}
}

func TestAConfirmationOfSNSIsHandedToAPersonAndNeverOpened(t *testing.T) {
	_, err := ReadBounces([]byte(`{"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.example/?Token=1"}`))
	var confirm Confirm
	if !errors.As(err, &confirm) || confirm.URL != "https://sns.example/?Token=1" {
		t.Errorf("got %v", err)
	}
}

func TestReturnedMailsAreUnderstood(t *testing.T) {
	for file, want := range map[string]Returned{
		"postfix.eml":     {Bounces: []status.Bounce{{Address: "ann@example.com", DeliveryID: "u1.email.s1", Hard: true, Reason: "returned: 5.1.1 550 5.1.1 <ann@example.com>: user unknown"}}},
		"full.eml":        {Bounces: []status.Bounce{{Address: "ann@example.com", Reason: "returned: 5.2.2 552 5.2.2 mailbox full"}}},
		"delayed.eml":     {},
		"complaint.eml":   {Bounces: []status.Bounce{{Address: "ann@example.com", DeliveryID: "u1.email.s1", Complaint: true, Reason: "reported: abuse"}}},
		"unsubscribe.eml": {Unsubscribe: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		"answer.eml":      {},
	} {
		f, err := os.Open(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadReturned(f)
		f.Close()
		if err != nil || got.Unsubscribe != want.Unsubscribe || !slices.Equal(got.Bounces, want.Bounces) {
			t.Errorf("%s: got %+v (%v), want %+v", file, got, err, want)
		}
	}
	if _, err := ReadReturned(strings.NewReader("nonsense")); err == nil {
		t.Error("nonsense is a mail")
	}
}

func FuzzReadBounces(f *testing.F) {
	f.Add([]byte(`{"Type":"Notification","Message":"{\"notificationType\":\"Bounce\"}"}`))
	f.Add([]byte(`[{"event":"bounce","email":"a@b"}]`))
	f.Fuzz(func(_ *testing.T, body []byte) { _, _ = ReadBounces(body) })
}

func FuzzReadReturned(f *testing.F) {
	for _, file := range []string{"postfix.eml", "complaint.eml"} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(_ *testing.T, text string) { _, _ = ReadReturned(strings.NewReader(text)) })
}
