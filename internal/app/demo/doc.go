// Package demo is `statusbridge demo`: the daemon on a throw-away database with
// a past of 90 days, beside a mail server and an X that keep what they are
// given, a product that shows the banner, and a strip that says what to click
// next. Nothing leaves the machine.
package demo
