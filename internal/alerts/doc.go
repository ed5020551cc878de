// Package alerts is where monitoring systems come in: it decodes the webhooks
// of Alertmanager and New Relic into facts, loads and checks rules.yaml, and
// takes deliveries in so that none is lost.
//
//	Decode     a body into facts, or the reason why it is a dead letter
//	LoadRules  rules.yaml into status.Rules, or everything that is wrong in it
//	Intake     stores a delivery durably before it is acknowledged, then hands
//	           its facts to the core
package alerts
