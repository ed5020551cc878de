package pages

import (
	"slices"

	"github.com/statusbridge/statusbridge/internal/status"
)

// maxListed is how many incidents and maintenances Statuspage lists.
const maxListed = 50

type apiSummary struct {
	Page         apiPage          `json:"page"`
	Components   []apiComponent   `json:"components"`
	Incidents    []apiIncident    `json:"incidents"`
	Maintenances []apiMaintenance `json:"scheduled_maintenances"`
	Status       apiStatus        `json:"status"`
}

type apiStatusOnly struct {
	Page   apiPage   `json:"page"`
	Status apiStatus `json:"status"`
}

type apiComponents struct {
	Page       apiPage        `json:"page"`
	Components []apiComponent `json:"components"`
}

type apiIncidents struct {
	Page      apiPage       `json:"page"`
	Incidents []apiIncident `json:"incidents"`
}

type apiMaintenances struct {
	Page         apiPage          `json:"page"`
	Maintenances []apiMaintenance `json:"scheduled_maintenances"`
}

// documents are all there is, by path. Incidents are newest first, upcoming
// maintenance soonest first.
func (w *apiWriter) documents() map[string]any {
	present := slices.Concat(w.sum.Running, w.sum.Upcoming)
	return map[string]any{
		"/api/v2/summary.json": apiSummary{
			Page: w.page, Components: w.components(), Incidents: w.incidents(w.sum.Active),
			Maintenances: w.maintenances(present), Status: w.status(),
		},
		"/api/v2/status.json":                          apiStatusOnly{w.page, w.status()},
		"/api/v2/components.json":                      apiComponents{w.page, w.components()},
		"/api/v2/incidents.json":                       apiIncidents{w.page, w.newestIncidents()},
		"/api/v2/incidents/unresolved.json":            apiIncidents{w.page, w.incidents(w.sum.Active)},
		"/api/v2/scheduled-maintenances.json":          apiMaintenances{w.page, w.maintenances(newest(w.view.Maintenances))},
		"/api/v2/scheduled-maintenances/active.json":   apiMaintenances{w.page, w.maintenances(w.sum.Running)},
		"/api/v2/scheduled-maintenances/upcoming.json": apiMaintenances{w.page, w.maintenances(w.sum.Upcoming)},
	}
}

// apiPaths are the documents' paths.
func apiPaths() []string {
	return []string{
		"/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json",
		"/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
		"/api/v2/scheduled-maintenances.json", "/api/v2/scheduled-maintenances/active.json", "/api/v2/scheduled-maintenances/upcoming.json",
	}
}

func newest[T any](list []T) []T { return list[:min(len(list), maxListed)] }

func (w *apiWriter) newestIncidents() []apiIncident {
	list := newest(w.view.Issues)
	out := make([]apiIncident, 0, len(list))
	for _, i := range list {
		out = append(out, w.incident(*i))
	}
	return out
}

func (w *apiWriter) incidents(list []status.Issue) []apiIncident {
	out := make([]apiIncident, 0, len(list))
	for _, i := range list {
		out = append(out, w.incident(i))
	}
	return out
}

func (w *apiWriter) maintenances(list []status.Maintenance) []apiMaintenance {
	out := make([]apiMaintenance, 0, len(list))
	for _, m := range list {
		out = append(out, w.maintenance(m))
	}
	return out
}
