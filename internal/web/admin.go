package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/statusbridge/statusbridge/internal/status"
)

// routeAdmin is the admin's table: path, the role it takes, the handler.
func (s *Server) routeAdmin() {
	s.app.Get("/admin/login", s.showLogin)
	s.app.Post("/admin/login", s.handleLogin)
	s.app.Get("/admin/login/second", s.showSecond)
	s.app.Post("/admin/login/second", s.handleSecond)
	s.app.Post(passkeyLogin, s.handlePasskey)
	s.app.Post(passkeyLogin+"/ask", s.askForPasskey)
	s.app.Get(oidcPath, s.leaveForProvider)
	s.app.Get(callbackPath, s.arriveFromProvider)
	s.act("/admin/logout", status.Viewer, s.handleLogout)

	s.read("/admin", status.Viewer, s.showQueue)
	s.act("/admin/test-alert", status.Admin, s.fireTestAlert)

	s.read("/admin/issues", status.Viewer, s.showIssues)
	s.read("/admin/issues/new", status.Responder, s.showNewIssue)
	s.act("/admin/issues/new", status.Responder, s.openIssue)
	s.read("/admin/issues/:id", status.Viewer, s.showIssue)
	s.act("/admin/issues/:id", status.Responder, s.saveIssue)
	s.read("/admin/issues/:id/review", status.Viewer, s.showReview)
	s.act("/admin/issues/:id/review", status.Responder, s.reviewEdits)
	for _, of := range []string{"page", "mail"} {
		s.read("/admin/issues/:id/preview/"+of, status.Viewer, s.showPreview(of))
		s.act("/admin/issues/:id/preview/"+of, status.Responder, s.showPreview(of))
	}
	s.act("/admin/issues/:id/undo", status.Responder, s.undoIssue)
	s.act("/admin/issues/:id/snooze", status.Responder, s.snoozeIssue)
	s.act("/admin/issues/:id/claim", status.Responder, s.claimIssue)
	s.act("/admin/issues/:id/said", status.Responder, s.saveUpdate)
	s.act("/admin/issues/:id/times", status.Responder, s.saveTimes)
	s.act("/admin/issues/:id/publish", status.Responder, s.publishIssue)
	s.act("/admin/issues/:id/dismiss", status.Responder, s.dismissIssue)
	s.act("/admin/issues/:id/update", status.Responder, s.updateIssue)
	s.read("/admin/issues/:id/merge", status.Responder, s.showMerge)
	s.act("/admin/issues/:id/merge", status.Responder, s.mergeIssue)
	s.act("/admin/issues/:id/postmortem", status.Responder, s.savePostmortem)
	s.act("/admin/issues/:id/fill", status.Responder, s.fillUpdate)
	s.act("/admin/issues/:id/hand-back", status.Responder, s.handBackIssue)
	s.act("/admin/issues/:id/keep", status.Responder, s.keepIssue)

	s.read("/admin/maintenance", status.Viewer, s.showMaintenances)
	s.read("/admin/maintenance/new", status.Responder, s.showNewMaintenance)
	s.act("/admin/maintenance/new", status.Responder, s.scheduleMaintenance)
	s.read("/admin/maintenance/month", status.Viewer, s.showMonth)
	s.read("/admin/maintenance/:id", status.Viewer, s.showMaintenance)
	s.act("/admin/maintenance/:id", status.Responder, s.saveMaintenance)
	s.act("/admin/maintenance/:id/fill", status.Responder, s.fillMaintenance)
	s.act("/admin/maintenance/:id/extend", status.Responder, s.extendMaintenance)
	s.act("/admin/maintenance/:id/update", status.Responder, s.updateMaintenance)

	s.read("/admin/components", status.Viewer, s.showComponents)
	s.read("/admin/components/new", status.Admin, s.showNewComponent)
	s.act("/admin/components/new", status.Admin, s.saveComponent)
	s.read("/admin/components/:id", status.Admin, s.showComponent)
	s.act("/admin/components/:id", status.Admin, s.saveComponent)
	s.read("/admin/components/:id/history", status.Admin, s.showComponentHistory)
	s.read("/admin/components/:id/uptime", status.Admin, s.showCorrections)
	s.act("/admin/components/:id/uptime", status.Admin, s.saveCorrection)
	s.act("/admin/components/:id/uptime/withdraw", status.Admin, s.withdrawCorrection)
	s.act("/admin/components/:id/move", status.Admin, s.moveComponent)
	s.act("/admin/components/:id/remove", status.Admin, s.removeComponent)
	s.read("/admin/groups/new", status.Admin, s.showNewGroup)
	s.act("/admin/groups/new", status.Admin, s.saveGroup)
	s.read("/admin/groups/:id", status.Admin, s.showGroup)
	s.act("/admin/groups/:id", status.Admin, s.saveGroup)
	s.act("/admin/groups/:id/move", status.Admin, s.moveGroup)
	s.act("/admin/groups/:id/remove", status.Admin, s.removeGroup)

	s.read("/admin/deliveries", status.Viewer, s.showDeliveries)
	s.act("/admin/deliveries/test-mail", status.Responder, s.sendTestMail)
	s.act("/admin/deliveries/dry-tweet", status.Responder, s.showDryTweet)
	s.act("/admin/deliveries/try", status.Responder, s.tryChannel)
	s.act("/admin/deliveries/channel", status.Responder, s.pauseChannel)
	s.read("/admin/deliveries/:id", status.Viewer, s.showDispatch)
	s.act("/admin/deliveries/:id/retry", status.Responder, s.retryDispatch)
	s.read("/admin/subscribers", status.Admin, s.showSubscribers)
	s.read("/admin/subscribers.csv", status.Admin, s.exportSubscribers)
	s.act("/admin/subscribers/import", status.Admin, s.importSubscribers)
	s.act("/admin/subscribers/erase", status.Admin, s.eraseSubscriber)
	s.read("/admin/alerts", status.Viewer, s.showAlerts)
	s.read("/admin/alerts/:id", status.Viewer, s.showWebhook)
	s.act("/admin/alerts/:id", status.Admin, s.replayWebhook)
	s.read("/admin/rules", status.Viewer, s.showRules)
	s.read("/admin/rules/matches", status.Viewer, s.showMatches)
	s.read("/admin/rules/try", status.Viewer, s.showTry)
	s.act("/admin/rules/try", status.Viewer, s.tryPayload)
	s.read("/admin/rules/backtest", status.Viewer, s.showBacktest)
	s.act("/admin/rules/backtest", status.Viewer, s.startBacktest)
	s.read("/admin/rules/backtest/:id", status.Viewer, s.followBacktest)
	s.act("/admin/rules/backtest/:id/cancel", status.Viewer, s.cancelBacktest)
	s.act("/admin/rules/reload", status.Admin, s.reloadRules)
	s.read("/admin/banner", status.Viewer, s.showBanner)
	s.read("/admin/banner/sample.js", status.Viewer, s.serveBannerSample)
	s.read("/admin/audit", status.Viewer, s.showAudit)

	s.read("/admin/users", status.Admin, s.showUsers)
	s.act("/admin/users", status.Admin, s.createUser)
	s.read("/admin/users/:id", status.Admin, s.showUser)
	s.act("/admin/users/:id", status.Admin, s.saveUser)
	s.act("/admin/users/:id/reset", status.Admin, s.resetUser)
	s.read("/admin/profile", status.Viewer, s.showProfile)
	s.act("/admin/profile/password", status.Viewer, s.changePassword)
	s.act("/admin/profile/keys", status.Viewer, s.saveKeys)
	s.act("/admin/profile/sessions", status.Viewer, s.endSessions)
	s.read("/admin/settings/templates", status.Responder, s.showTemplates)
	s.act("/admin/settings/templates", status.Responder, s.createTemplate)
	s.read("/admin/settings/templates/:id", status.Responder, s.showTemplate)
	s.act("/admin/settings/templates/:id", status.Responder, s.saveTemplate)
	s.act("/admin/settings/templates/:id/remove", status.Responder, s.removeTemplate)
	s.read(secondPath, status.Viewer, s.showSecondFactor)
	s.act(secondPath, status.Viewer, s.proposeSecondFactor)
	s.read(secondPath+"/qr.svg", status.Viewer, s.serveQR)
	s.act(secondPath+"/confirm", status.Viewer, s.confirmSecondFactor)
	s.act(secondPath+"/change", status.Viewer, s.changeSecondFactor)
	s.read(passkeysPath, status.Viewer, s.showPasskeys)
	s.act(passkeysPath, status.Viewer, s.addPasskey)
	s.act(passkeysPath+"/ask", status.Viewer, s.proposePasskey)
	s.act(passkeysPath+"/remove", status.Viewer, s.removePasskey)
	s.read("/admin/settings", status.Admin, s.showSettings)
	s.read("/admin/settings/tokens", status.Admin, s.showTokens)
	s.act("/admin/settings/tokens", status.Admin, s.createToken)
	s.act("/admin/settings/tokens/:id/revoke", status.Admin, s.revokeToken)
}

// revise carries out a person's decision through the one write verb. It
// answers with the id of what was created or touched.
func (s *Server) revise(ctx context.Context, v visit, edit status.Edit) (string, error) {
	now, rules := s.clock.Now(), s.rules().Rules
	if rules == nil {
		rules = &status.Rules{}
	}
	id := ""
	_, err := s.store.Apply(ctx, now, func(b status.Board) (status.Changes, error) {
		changes, err := status.Revise(b, rules, edit, v.account.Email, now)
		id = changes.Result
		return changes, err
	}, edit.Subjects()...)
	return id, err
}

// sameAgain is how long the same thing asked for again is the same request: a
// button pressed twice, a form sent again by a bad network.
const sameAgain = time.Minute

// create carries out a decision that makes something new, once: when twin finds
// that just this was made a moment ago, its id is the answer. It looks under
// the store's lock, so two requests at the same time make one thing too.
func (s *Server) create(ctx context.Context, v visit, edit status.Edit, twin func(b status.Board, since time.Time) string) (string, error) {
	now, rules := s.clock.Now(), s.rules().Rules
	if rules == nil {
		rules = &status.Rules{}
	}
	id := ""
	_, err := s.store.Apply(ctx, now, func(b status.Board) (status.Changes, error) {
		if id = twin(b, now.Add(-sameAgain)); id != "" {
			return status.Changes{}, nil
		}
		changes, err := status.Revise(b, rules, edit, v.account.Email, now)
		id = changes.Result
		return changes, err
	}, edit.Subjects()...)
	return id, err
}

// directory is the components and groups by id, and in the page's order.
type directory struct {
	components []status.Component
	groups     []status.Group
	names      map[string]string
	groupNames map[string]string
}

func (s *Server) directory(ctx context.Context) (directory, error) {
	components, groups, err := s.store.Components(ctx)
	if err != nil {
		return directory{}, err
	}
	d := directory{groups: groups, names: map[string]string{}, groupNames: map[string]string{}}
	place := map[string]int{}
	for n, g := range groups {
		d.groupNames[g.ID] = g.Name
		place[g.ID] = n + 1
	}
	for _, c := range components {
		d.names[c.ID] = c.Name
	}
	d.components = slices.Clone(components)
	slices.SortStableFunc(d.components, func(a, b status.Component) int {
		return cmp.Or(cmp.Compare(place[a.GroupID], place[b.GroupID]), cmp.Compare(a.Position, b.Position), cmp.Compare(a.Name, b.Name))
	})
	return d, nil
}

// name is what the component is called; one that is gone keeps its id.
func (d directory) name(id string) string { return cmp.Or(d.names[id], id) }

// affectedView is a component as an issue touches it.
type affectedView struct {
	Name string
	Look look
}

func (d directory) affected(list []status.Affected) []affectedView {
	var out []affectedView
	for _, a := range list {
		out = append(out, affectedView{d.name(a.ComponentID), statusLooks[a.Status]})
	}
	return out
}
