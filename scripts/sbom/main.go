// Command sbom prints what a Go binary is made of as CycloneDX 1.5
// (https://cyclonedx.org/docs/1.5/json/): the modules that the linker recorded
// in it, with the checksums of go.sum. The same binary gives the same bytes.
//
//	go run ./scripts/sbom BINARY VERSION > BINARY.cdx.json
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

type component struct {
	Type       string     `json:"type"`
	BOMRef     string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom BINARY VERSION")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(binary, version string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	bytes, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(bytes)
	program := component{
		Type: "application", Name: "statusbridge", Version: version, Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
		PURL:       "pkg:golang/" + info.Main.Path + "@" + version,
		Properties: []property{{"file", filepath.Base(binary)}, {"go", info.GoVersion}},
	}
	program.BOMRef = program.PURL
	parts := []component{library("std", info.GoVersion)}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := library(m.Path, m.Version)
		if m.Sum != "" {
			c.Properties = []property{{"go.sum", m.Sum}}
		}
		parts = append(parts, c)
	}
	refs := make([]string, len(parts))
	for n, c := range parts {
		refs[n] = c.BOMRef
	}
	id := sum[:16] // a UUID of version 5, made of the binary instead of a name
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	return enc.Encode(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"serialNumber": fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]),
		"metadata":     map[string]any{"component": program},
		"components":   parts,
		"dependencies": []map[string]any{{"ref": program.BOMRef, "dependsOn": refs}},
	})
}

func library(path, version string) component {
	purl := "pkg:golang/" + path + "@" + version
	return component{Type: "library", BOMRef: purl, Name: path, Version: version, PURL: purl}
}
