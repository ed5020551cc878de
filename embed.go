// Package statusbridge holds what ships inside the binary from the root of
// the repository.
package statusbridge

import _ "embed"

// Rules is the rules.yaml that is used until there is one of your own.
//
//go:embed rules.yaml
var Rules []byte
