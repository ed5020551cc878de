// Package web is the HTTP face of the daemon: the doors where monitoring
// systems deliver webhooks, the public pages, the subscription forms, the admin
// and the operations endpoints.
//
// It decides nothing about issues. Public bytes come ready-made from package
// pages; webhooks go to the intake of package alerts as they came; what a
// person decides becomes a status.Edit and goes through the store's one write
// verb. Errors of all of them become HTTP in one place, errors.go.
//
// Absent on purpose: Fiber's own session, CSRF, cache, limiter, static and
// proxy middleware; c.Body, which inflates without limit; c.IP, which believes
// anybody; and JavaScript.
package web
