package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set at build time by -ldflags "-X main.release=…".
var release string

type versionCmd struct{}

func (versionCmd) Run(c *cli) error {
	fmt.Fprintf(c.out, "statusbridge %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// version is the release, or what the go command knows of the source.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
