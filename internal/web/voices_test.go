package web

import (
	"maps"
	"regexp"
	"slices"
	"testing"
)

func TestEveryLanguageOfASubscriptionSaysEverything(t *testing.T) {
	all := loadVoices("de").all
	if len(all) != 6 || all[0].tag != "de" {
		t.Fatalf("%d languages, the first is %s", len(all), all[0].tag)
	}
	blank := regexp.MustCompile(`\{\w+\}`)
	for _, v := range all[1:] {
		if !slices.Equal(slices.Sorted(maps.Keys(v.phrases)), slices.Sorted(maps.Keys(all[0].phrases))) {
			t.Errorf("%s and de have different phrases", v.tag)
		}
		for key, text := range v.phrases {
			if text == "" || !slices.Equal(blank.FindAllString(text, -1), blank.FindAllString(all[0].phrases[key], -1)) {
				t.Errorf("%s: %s is %q, which fills in other things than %q", v.tag, key, text, all[0].phrases[key])
			}
		}
	}
}

func TestTheTemplatesAskOnlyForPhrasesThatThereAre(t *testing.T) {
	said := regexp.MustCompile(`say "([^"]+)"`)
	files, err := templateFiles.ReadDir("templates/public")
	if err != nil {
		t.Fatal(err)
	}
	english := loadVoices("en").all[0]
	for _, f := range files {
		text, err := templateFiles.ReadFile("templates/public/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(text), -1) {
			if english.phrases[m[1]] == "" {
				t.Errorf("%s asks for %q", f.Name(), m[1])
			}
		}
	}
}

func TestThePagesOfEachVoiceAreWhole(t *testing.T) {
	for _, v := range loadVoices("").all {
		if v.public().Lookup("error.html") == nil { // it panics on a broken template
			t.Errorf("%s has no page for errors", v.tag)
		}
	}
}
