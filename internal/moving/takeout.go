package moving

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Format is how a takeout is written.
type Format string

// The formats.
const (
	JSON Format = "json" // an array of objects
	CSV  Format = "csv"  // a header and lines (RFC 4180); lists are JSON in a cell
)

// Files writes a table into a file each, in a folder that it makes.
type Files struct {
	dir    string
	format Format
	file   *os.File
	out    *bufio.Writer
	csv    *csv.Writer
	names  []string // of the columns
	rows   int
	Tables int // written so far
	Rows   int
}

// NewFiles makes the folder. One that has something in it is refused, so that
// nothing is mixed up or lost. Only its owner may look inside: it has addresses
// of people.
func NewFiles(dir string, format Format) (*Files, error) {
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 {
		return nil, fmt.Errorf("%s is not empty; name a new folder", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Files{dir: dir, format: format}, nil
}

// Table begins a file.
func (f *Files) Table(name string, columns []string) (err error) {
	if err := f.Close(); err != nil {
		return err
	}
	f.file, err = os.OpenFile(filepath.Join(f.dir, name+"."+string(f.format)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	f.out, f.names, f.rows = bufio.NewWriter(f.file), columns, 0
	f.Tables++
	if f.format == CSV {
		f.csv = csv.NewWriter(f.out)
		return f.csv.Write(columns)
	}
	_, err = f.out.WriteString("[")
	return err
}

// Row adds a line to the file.
func (f *Files) Row(values []any) error {
	f.rows++
	f.Rows++
	if f.format == CSV {
		cells := make([]string, len(values))
		for n, v := range values {
			cells[n] = cell(v)
		}
		return f.csv.Write(cells)
	}
	f.out.WriteString(map[bool]string{true: "\n{", false: ",\n{"}[f.rows == 1]) // errors stay with the writer
	for n, v := range values {
		if t, ok := v.(time.Time); ok && t.IsZero() {
			v = nil
		}
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("%s: %w", f.names[n], err)
		}
		fmt.Fprintf(f.out, "%s%q:%s", map[bool]string{true: "", false: ","}[n == 0], f.names[n], text)
	}
	_, err := f.out.WriteString("}")
	return err
}

// Close ends the last file.
func (f *Files) Close() error {
	if f.file == nil {
		return nil
	}
	file := f.file
	f.file = nil
	if f.format == CSV {
		f.csv.Flush()
	} else {
		f.out.WriteString("\n]\n")
	}
	return errors.Join(f.out.Flush(), file.Close())
}

// cell writes a value for a spreadsheet, which must not take a text for a
// formula (OWASP, CSV injection).
func cell(v any) string {
	switch v := v.(type) {
	case string:
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			return "'" + v
		}
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339Nano)
	case json.Marshaler:
		text, _ := v.MarshalJSON() // is JSON already
		if string(text) == "null" {
			return ""
		}
		return string(text)
	}
	return fmt.Sprint(v)
}
