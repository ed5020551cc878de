package demo

import "github.com/statusbridge/statusbridge/internal/status"

type component struct{ slug, name, description string }

type group struct {
	name       string
	components []component
}

// catalogue is what the made-up company runs.
var catalogue = []group{
	{"Shop", []component{
		{"checkout", "Checkout", "Carts, orders and payment"},
		{"search", "Search", ""},
		{"accounts", "Sign-in and accounts", ""},
	}},
	{"For developers", []component{
		{"api", "API", "api.example.com"},
		{"webhooks", "Webhooks", "Events to your endpoints"},
		{"dashboard", "Dashboard", ""},
	}},
}

// statement is an update of an issue.
type statement struct {
	state status.IssueState
	body  string
}

// event is an issue, or work.
type event struct {
	daysAgo   int
	minutes   int // how long it lasted
	component string
	status    status.ComponentStatus
	impact    status.Impact
	title     string
	body      string
	updates   []statement // evenly over its time, the last one ends it
	work      bool
}

// ahead is the work that is planned.
var ahead = event{
	component: "accounts", minutes: 45, work: true,
	title: "Upgrade of the accounts database", body: "Signing in may take a few seconds longer. Who is signed in stays so.",
}

// events are the past, oldest first.
var events = []event{
	{
		daysAgo: 83, minutes: 38, component: "search", status: status.DegradedPerformance, impact: status.ImpactMinor,
		title: "Search is slow", body: "Searches take up to five seconds.",
		updates: []statement{
			{status.Identified, "An index is being rebuilt. Results are complete, but late."},
			{status.Resolved, "The index is ready and search is as fast as before."},
		},
	},
	{
		daysAgo: 71, minutes: 60, component: "api", work: true,
		title: "New certificates for the API", body: "Connections that are open longer than an hour are closed once.",
	},
	{
		daysAgo: 64, minutes: 96, component: "checkout", status: status.MajorOutage, impact: status.ImpactCritical,
		title: "Checkout is down", body: "Nobody can pay at the moment. We are looking into it.",
		updates: []statement{
			{status.Identified, "Our payment provider does not answer. We are switching to the second one."},
			{status.Monitoring, "Payments go through the second provider. We keep watching."},
			{status.Resolved, "Payments have worked for half an hour. Orders that failed were not charged."},
		},
	},
	{
		daysAgo: 52, minutes: 22, component: "dashboard", status: status.PartialOutage, impact: status.ImpactMinor,
		title: "Charts in the dashboard are empty", body: "Numbers are recorded, but not shown.",
		updates: []statement{{status.Resolved, "Charts are back, and have no gap."}},
	},
	{
		daysAgo: 41, minutes: 90, component: "webhooks", work: true,
		title: "Webhooks move to new machines", body: "Events are held for some minutes and then delivered.",
	},
	{
		daysAgo: 33, minutes: 54, component: "accounts", status: status.PartialOutage, impact: status.ImpactMajor,
		title: "Some people cannot sign in", body: "Signing in with a company account fails. Passwords work.",
		updates: []statement{
			{status.Identified, "A certificate of the sign-in service has run out. A new one is on its way."},
			{status.Resolved, "Signing in works for everybody. We now watch the certificate's last day."},
		},
	},
	{
		daysAgo: 19, minutes: 31, component: "api", status: status.DegradedPerformance, impact: status.ImpactMinor,
		title: "Slow API responses", body: "Requests take longer than usual; some time out.",
		updates: []statement{
			{status.Monitoring, "We have taken a slow machine out. Response times are falling."},
			{status.Resolved, "Response times are as usual."},
		},
	},
	{
		daysAgo: 8, minutes: 40, component: "search", work: true,
		title: "Search learns two languages", body: "Results may be incomplete while the index is built.",
	},
	{
		daysAgo: 1, minutes: 47, component: "search", status: status.PartialOutage, impact: status.ImpactMajor,
		title: "Search finds nothing for some customers", body: "Searches in Europe come back empty. We are looking into it.",
		updates: []statement{
			{status.Identified, "A deployment removed the European index from the list. We are putting it back."},
			{status.Monitoring, "Searches find everything again. We keep an eye on it."},
			{status.Resolved, "Search has worked for a quarter of an hour. The deployment now checks the list."},
		},
	},
}
