package web_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

var (
	inputTag    = regexp.MustCompile(`<input[^>]*>`)
	selectTag   = regexp.MustCompile(`(?s)<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>`)
	chosenTag   = regexp.MustCompile(`<option value="([^"]*)" selected`)
	textareaTag = regexp.MustCompile(`(?s)<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>`)
	attribute   = regexp.MustCompile(` (name|value|type)="([^"]*)"`)
)

// inputs reads what a browser would send of the form with that action.
func inputs(page, action string) url.Values {
	_, form, _ := strings.Cut(page, `action="`+action+`">`)
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	for _, tag := range inputTag.FindAllString(form, -1) {
		at := map[string]string{}
		for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
			at[m[1]] = html.UnescapeString(m[2])
		}
		ticks := at["type"] == "checkbox" || at["type"] == "radio"
		if at["name"] != "" && (!ticks || strings.Contains(tag, " checked")) {
			values.Add(at["name"], at["value"])
		}
	}
	for _, m := range selectTag.FindAllStringSubmatch(form, -1) {
		if chosen := chosenTag.FindStringSubmatch(m[2]); chosen != nil {
			values.Set(m[1], chosen[1])
		}
	}
	for _, m := range textareaTag.FindAllStringSubmatch(form, -1) {
		values.Set(m[1], strings.ReplaceAll(html.UnescapeString(m[2]), "\n", "\r\n"))
	}
	return values
}
