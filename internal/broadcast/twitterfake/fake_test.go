package twitterfake

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The example of X's own page "Creating a signature".
func TestTheSignatureIsTheOneOfTheDocumentation(t *testing.T) {
	body := "status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21"
	r, err := http.NewRequest(http.MethodPost, "https://api.twitter.com/1.1/statuses/update.json?include_entities=true", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	base, err := baseString(r, []byte(body), map[string]string{
		"oauth_consumer_key": "xvz1evFS4wEEPTGEFPHBog", "oauth_nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
		"oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "1318622958",
		"oauth_token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "oauth_version": "1.0", "oauth_signature": "left out",
	})
	if err != nil {
		t.Fatal(err)
	}
	base = strings.Replace(base, "POST&http%3A", "POST&https%3A", 1) // a request of a test has no TLS
	want := "POST&https%3A%2F%2Fapi.twitter.com%2F1.1%2Fstatuses%2Fupdate.json&include_entities%3Dtrue%26oauth_consumer_key%3Dxvz1evFS4wEEPTGEFPHBog" +
		"%26oauth_nonce%3DkYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1318622958" +
		"%26oauth_token%3D370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb%26oauth_version%3D1.0" +
		"%26status%3DHello%2520Ladies%2520%252B%2520Gentlemen%252C%2520a%2520signed%2520OAuth%2520request%2521"
	if base != want {
		t.Errorf("the base string is\n%s\nwant\n%s", base, want)
	}
	if got := sign(base, "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"); got != "hCtSmYh+iHYCEqBWrE7C7hYmtUk=" {
		t.Errorf("the signature is %s", got)
	}
}

// post sends a tweet that is signed by hand, after the caller spoiled it.
func post(t *testing.T, f *Fake, nonce string, spoil func(signed map[string]string)) int {
	t.Helper()
	body := `{"text":"hello ` + nonce + `"}`
	r, err := http.NewRequest(http.MethodPost, f.URL()+"/2/tweets", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	signed := map[string]string{
		"oauth_consumer_key": TestKeys.ConsumerKey, "oauth_token": TestKeys.AccessToken, "oauth_signature_method": "HMAC-SHA1",
		"oauth_timestamp": fmt.Sprint(f.now().Unix()), "oauth_nonce": nonce, "oauth_version": "1.0",
	}
	if spoil != nil {
		spoil(signed)
	}
	if signed["oauth_signature"] == "" {
		base, err := baseString(r, []byte(body), signed)
		if err != nil {
			t.Fatal(err)
		}
		signed["oauth_signature"] = sign(base, TestKeys.ConsumerSecret, TestKeys.AccessSecret)
	}
	var pairs []string
	for key, value := range signed {
		pairs = append(pairs, key+`="`+url.PathEscape(value)+`"`)
	}
	r.Header.Set("Authorization", "OAuth "+strings.ReplaceAll(strings.Join(pairs, ", "), "+", "%2B"))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestAPlantedWrongSignatureIsRefused(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f, err := Start(Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if code := post(t, f, "n1", nil); code != http.StatusCreated {
		t.Fatalf("a good one gets %d: %v", code, f.Refused())
	}
	if code := post(t, f, "n1", func(map[string]string) {}); code != http.StatusUnauthorized {
		t.Errorf("a replayed nonce gets %d", code)
	}
	set := func(key, value string) func(map[string]string) {
		return func(signed map[string]string) { signed[key] = value }
	}
	for name, spoil := range map[string]func(map[string]string){
		"wrong signature":  set("oauth_signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
		"other consumer":   set("oauth_consumer_key", "other"),
		"other token":      set("oauth_token", "other"),
		"plaintext":        set("oauth_signature_method", "PLAINTEXT"),
		"other version":    set("oauth_version", "2.0"),
		"an hour old":      set("oauth_timestamp", fmt.Sprint(now.Add(-time.Hour).Unix())),
		"from the future":  set("oauth_timestamp", fmt.Sprint(now.Add(time.Hour).Unix())),
		"no time":          set("oauth_timestamp", "noon"),
		"no nonce":         set("oauth_nonce", ""),
		"no authorization": func(signed map[string]string) { clear(signed); signed["oauth_signature"] = "x" },
		"signed for elsewhere": func(signed map[string]string) {
			r, _ := http.NewRequest(http.MethodPost, "http://elsewhere.example/2/tweets", nil)
			base, _ := baseString(r, nil, signed)
			signed["oauth_signature"] = sign(base, TestKeys.ConsumerSecret, TestKeys.AccessSecret)
		},
	} {
		if code := post(t, f, "nonce of "+name, spoil); code != http.StatusUnauthorized {
			t.Errorf("%s gets %d", name, code)
		}
	}
	if n := len(f.Tweets()); n != 1 {
		t.Errorf("%d tweets were taken, want one", n)
	}
}
