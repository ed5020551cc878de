package broadcast

// Preview is a mail as a subscriber would get it.
type Preview struct{ Subject, Text, HTML string }

// Preview writes the mail about a message, and sends nothing. The links of its
// recipient lead nowhere.
func (e *Email) Preview(m Message) (Preview, error) {
	m.Recipient, m.Token = "subscriber@example.com", "preview"
	d, err := e.write(m)
	if err != nil {
		return Preview{}, err
	}
	d = d.to(m)
	return Preview{d.subject, d.text, d.html}, nil
}

// Preview is the message as it would be posted, and its weight as X counts it.
func (t *Twitter) Preview(m Message) (text string, weight, limit int) {
	text = Tweet(m, t.cfg.WithURL)
	return text, weigh(text), tweetLimit
}
