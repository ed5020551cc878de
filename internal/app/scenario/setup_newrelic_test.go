package scenario

import (
	"strings"
	"testing"
)

func TestSetupNewRelicMakesTheAccountSendHereAndTheDoctorAgrees(t *testing.T) {
	t.Parallel()
	w, nr := lostWebhooks(t)
	diagnose := func() diagnosis { found, _ := w.doctor("newrelic"); return found }
	if found := diagnose(); found.Findings == 0 {
		t.Errorf("before: %+v", found)
	}

	out, errs, code := w.command("", "--config", w.config, "setup", "newrelic", "--dry-run")
	for _, part := range []string{"would create", "aiNotificationsCreateDestination", "aiWorkflowsCreateWorkflow", w.url + "/hooks/newrelic/nr-prod"} {
		if code != 0 || !strings.Contains(out, part) {
			t.Errorf("the dry run: exit code %d, no %s in %s%s", code, part, out, errs)
		}
	}
	if strings.Contains(out, w.secret) {
		t.Error("the dry run prints the webhook secret")
	}
	if destinations, _, _ := nr.Provisioned(nrAccount); len(destinations) != 0 {
		t.Fatal("the dry run created a destination")
	}

	for _, state := range []string{"created", "found"} {
		out, errs, code := w.command("", "--config", w.config, "setup", "newrelic")
		if code != 0 || strings.Count(out, state) != 3 {
			t.Errorf("exit code %d, %s%s, want all three %s", code, out, errs, state)
		}
	}
	destinations, _, _ := nr.Provisioned(nrAccount)
	if len(destinations) != 1 || destinations[0].Token != w.secret {
		t.Errorf("%+v", destinations)
	}
	for _, c := range diagnose().Checks {
		// No webhook has come, all else is well.
		if (c.State == "fail" || c.State == "warn") && !strings.HasSuffix(c.Name, "webhooks") {
			t.Errorf("%+v", c)
		}
	}

	if out, errs, code := w.command("", "--config", w.config, "setup", "newrelic", "--priorities", "URGENT"); code == 0 || !strings.Contains(errs, "CRITICAL") {
		t.Errorf("a priority that there is not: exit code %d, %s%s", code, out, errs)
	}
}
