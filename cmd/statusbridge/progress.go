package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/statusbridge/statusbridge/internal/app"
)

// progress draws a bar on a terminal; anywhere else it says nothing. The bar
// appears after a second: what is quick needs none.
type progress struct {
	what    string
	file    *os.File // nil: no terminal
	began   time.Time
	drawn   time.Time
	visible bool
}

func newProgress(what string) *progress {
	p := &progress{what: what, began: app.Clock{}.Now()}
	if terminal(os.Stderr) {
		p.file = os.Stderr
	}
	return p
}

const (
	barAfter = time.Second
	barEvery = 100 * time.Millisecond
	barWidth = 30
)

// show draws how much of the total is done.
func (p *progress) show(done, total int) {
	now := app.Clock{}.Now()
	if p.file == nil || total == 0 || now.Sub(p.began) < barAfter || now.Sub(p.drawn) < barEvery {
		return
	}
	p.drawn, p.visible = now, true
	full := barWidth * done / total
	fmt.Fprintf(p.file, "\r[%s%s] %3d%%  %d of %d %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*done/total, done, total, p.what)
}

// end takes the bar away.
func (p *progress) end() {
	if p.visible {
		fmt.Fprintf(p.file, "\r\033[K")
	}
}
