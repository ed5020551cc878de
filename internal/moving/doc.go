// Package moving brings a status page here from elsewhere, and takes
// everything along to elsewhere: the pages of Statuspage, Cachet and Atom
// feeds in, JSON and CSV out.
package moving
