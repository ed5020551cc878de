package scenario

import "strings"

// rulesConfirm wants a person for each issue, and waits for nothing else.
const rulesConfirm = `version: 1
severity:
  - { matchers: ['severity="critical"'], level: critical, impact: major }
  - { matchers: ['priority="CRITICAL"'], level: critical, impact: major }
  - { matchers: [], level: warning, impact: minor }
rules:
  - name: checkout-down
    matchers: ['alertname="CheckoutDown"']
    group_by: [region]
    for: 0s
    open:
      title: 'Checkout is unavailable in {{ .GroupLabels.region }}'
      body: 'We are looking into failing checkouts.'
      components: [{ component: checkout, status: partial_outage }]
      publish: confirm
    resolve: { mode: auto, after: 1s, body: 'Checkout has recovered.' }
  - name: new-relic
    matchers: ['policy="Golden Signals"']
    group_by: [policy]
    for: 0s
    open:
      title: 'Payments are failing'
      body: 'We are looking into failing payments.'
      components: [{ component: checkout, status: degraded_performance }]
      publish: confirm
    resolve: { mode: auto, after: 1s, body: 'Payments work again.' }
`

// rulesAuto publishes by itself.
const rulesAuto = `version: 1
severity:
  - { matchers: [], level: critical, impact: major }
rules:
  - name: down
    matchers: ['alertname=~".+Down"']
    group_by: [alertname]
    for: 0s
    open:
      title: '{{ .GroupLabels.alertname }} on our side'
      body: 'We are looking into it.'
      components: [{ component: checkout, status: major_outage }]
      publish: auto
    resolve: { mode: auto, after: 500ms, body: 'All is well again.' }
`

// rulesAsking publishes by itself, and asks its source every second.
func rulesAsking(source string) string {
	return strings.Replace(rulesAuto, "rules:\n", "sources:\n  prod-am: { type: alertmanager, poll_every: 1s, min_uptime: 1s, "+source+" }\nrules:\n", 1)
}
