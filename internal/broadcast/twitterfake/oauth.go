package twitterfake

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// freshness is how far a timestamp may be off.
const freshness = 5 * time.Minute

// verify checks the signature of a request as RFC 5849 has it, on its own: no
// code is shared with the library that signs.
func (f *Fake) verify(r *http.Request, body []byte) error {
	signed, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	switch {
	case signed["oauth_version"] != "" && signed["oauth_version"] != "1.0":
		return fmt.Errorf("oauth_version is %q", signed["oauth_version"])
	case signed["oauth_signature_method"] != "HMAC-SHA1":
		return fmt.Errorf("oauth_signature_method is %q", signed["oauth_signature_method"])
	case signed["oauth_consumer_key"] != f.keys.ConsumerKey:
		return errors.New("the consumer key is not known")
	case signed["oauth_token"] != f.keys.AccessToken:
		return errors.New("the token is not known")
	}
	base, err := baseString(r, body, signed)
	if err != nil {
		return err
	}
	want := sign(base, f.keys.ConsumerSecret, f.keys.AccessSecret)
	if subtle.ConstantTimeCompare([]byte(want), []byte(signed["oauth_signature"])) != 1 {
		return errors.New("the signature is wrong")
	}
	return f.checkFresh(signed["oauth_timestamp"], signed["oauth_nonce"])
}

// checkFresh refuses what is old and what was seen before.
func (f *Fake) checkFresh(timestamp, nonce string) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("oauth_timestamp is %q", timestamp)
	}
	if age := f.now().Sub(time.Unix(seconds, 0)).Abs(); age > freshness {
		return fmt.Errorf("oauth_timestamp is off by %s", age)
	}
	if nonce == "" {
		return errors.New("oauth_nonce is missing")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nonces[nonce] {
		return errors.New("oauth_nonce was used before")
	}
	f.nonces[nonce] = true
	return nil
}

func parseAuthorization(header string) (map[string]string, error) {
	rest, found := strings.CutPrefix(header, "OAuth ")
	if !found {
		return nil, errors.New("there is no OAuth header")
	}
	signed := map[string]string{}
	for pair := range strings.SplitSeq(rest, ",") {
		name, quoted, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
			return nil, fmt.Errorf("parameter %q is not quoted", name)
		}
		key, err := url.PathUnescape(name)
		if err != nil {
			return nil, err
		}
		value, err := url.PathUnescape(quoted[1 : len(quoted)-1])
		if err != nil {
			return nil, err
		}
		if _, twice := signed[key]; twice {
			return nil, fmt.Errorf("parameter %q is there twice", key)
		}
		signed[key] = value
	}
	return signed, nil
}

// baseString is what is signed: method, address and all parameters, encoded,
// sorted and encoded again (RFC 5849, 3.4.1).
func baseString(r *http.Request, body []byte, signed map[string]string) (string, error) {
	var pairs []string
	add := func(key, value string) { pairs = append(pairs, encode(key)+"="+encode(value)) }
	for key, value := range signed {
		if key != "oauth_signature" && key != "realm" {
			add(key, value)
		}
	}
	sources := []string{r.URL.RawQuery}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		sources = append(sources, string(body))
	}
	for _, source := range sources {
		values, err := url.ParseQuery(source)
		if err != nil {
			return "", err
		}
		for key, all := range values {
			for _, value := range all {
				add(key, value)
			}
		}
	}
	slices.Sort(pairs)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	address := scheme + "://" + strings.ToLower(r.Host) + r.URL.EscapedPath()
	return strings.Join([]string{strings.ToUpper(r.Method), encode(address), encode(strings.Join(pairs, "&"))}, "&"), nil
}

func sign(base, consumerSecret, tokenSecret string) string {
	mac := hmac.New(sha1.New, []byte(encode(consumerSecret)+"&"+encode(tokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// encode is the percent encoding of RFC 3986, which leaves only unreserved
// characters as they are.
func encode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
