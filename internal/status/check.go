package status

// CheckState says how one part of a set-up does.
type CheckState string

// The states of a check. Warn and Fail are findings.
const (
	CheckOK   CheckState = "ok"
	CheckOff  CheckState = "off"  // not set up, which is nobody's fault
	CheckWarn CheckState = "warn" // works, but not as well as it could
	CheckFail CheckState = "fail" // does not work, or loses something
)

// Check is what `doctor` found out about one part of a set-up.
type Check struct {
	Name  string     `json:"name"` // what was looked at: "alertmanager prod: receiver"
	State CheckState `json:"state"`
	What  string     `json:"what"`           // what was found
	Mend  string     `json:"mend,omitempty"` // what to do about it, "" if nothing
}

// Finding reports whether somebody should do something.
func (c Check) Finding() bool { return c.State == CheckWarn || c.State == CheckFail }
