package broadcast

import (
	"errors"
	"regexp"
	"strings"
)

// classify says what a failed mail means: whether the recipient exists, whether
// a later attempt can bring it through. Connections, the sign-in and the
// sender's address pass, or a person mends them.
func classify(err error) error {
	var failed *smtpError
	if err == nil || !errors.As(err, &failed) {
		return err
	}
	switch failed.code {
	case 503, 530, 535, 538: // our own order or sign-in
		return err
	}
	switch {
	case failed.code < 500 || failed.stage == stageMail:
		return err
	case noSuchRecipient(failed.code, failed.text):
		return Bounced{Reason: "the address does not exist", Err: err}
	case failed.stage == stageRcpt:
		return Permanent{Reason: "the mail server refuses the recipient", Err: err}
	}
	return Permanent{Reason: "the mail server refuses the message", Err: err}
}

// enhancedCode finds the enhanced status code of an answer (RFC 3463).
var enhancedCode = regexp.MustCompile(`\b([245])\.(\d{1,3})\.(\d{1,3})\b`)

// dead are the enhanced codes (without the class) by which a server says that
// an address does not exist: bad mailbox, bad system, bad syntax, moved, null MX
// (RFC 7505), mailbox disabled. Not among them are a full mailbox (2.2) and all
// that is about policy (7.x): those addresses work again, or work for others.
var dead = map[string]bool{"1.1": true, "1.2": true, "1.3": true, "1.6": true, "1.10": true, "2.1": true}

// unknown are the words of servers that give no enhanced code.
var unknown = regexp.MustCompile(`(?i)(user|recipient|address|mailbox|account)( is)?( name)? (unknown|not found|does not exist|doesn't exist|disabled|inactive)|` +
	`(unknown|no such|invalid|nonexistent) (local )?(user|recipient|address|mailbox|account)|does not (accept|receive) (any )?mail|no mailbox`)

// policy are the words of servers that refuse us, not the recipient.
var policy = regexp.MustCompile(`(?i)spam|block|policy|blacklist|denylist|listed|reputation|spf|dkim|dmarc|relay|rate|denied|not allowed`)

// noSuchRecipient reports whether the answer means that mail to the address
// will never arrive. In doubt it does not.
func noSuchRecipient(code int, text string) bool {
	found := enhancedCode.FindStringSubmatch(text)
	if found != nil && found[2]+found[3] != "00" { // x.0.0 says nothing
		return found[1] == "5" && dead[strings.TrimLeft(found[2], "0")+"."+strings.TrimLeft(found[3], "0")]
	}
	switch code {
	case 556: // the domain takes no mail (RFC 7504)
		return true
	case 550, 551, 553, 554:
		return unknown.MatchString(text) && !policy.MatchString(text)
	}
	return false
}
