package web

import (
	"bytes"
	"strconv"
)

// encoding is a content coding that documents are kept in.
type encoding int

const (
	identity encoding = iota
	gzipped
	brotlied
)

// bestEncoding picks what the client likes most of what there is; on a tie the
// smaller one. With nothing acceptable it answers identity, as RFC 9110 12.5.3
// allows. It does not allocate.
func bestEncoding(accept []byte, hasGzip, hasBrotli bool) encoding {
	if len(accept) == 0 {
		return identity
	}
	const unset = -1
	br, gz, plain, any := unset, unset, unset, unset
	for len(accept) > 0 {
		var item []byte
		item, accept = cutComma(accept)
		name, q := weighted(item)
		switch {
		case bytes.EqualFold(name, []byte("br")):
			br = q
		case bytes.EqualFold(name, []byte("gzip")), bytes.EqualFold(name, []byte("x-gzip")):
			gz = q
		case bytes.EqualFold(name, []byte("identity")):
			plain = q
		case len(name) == 1 && name[0] == '*':
			any = q
		}
	}
	if br == unset {
		br = max(any, 0)
	}
	if gz == unset {
		gz = max(any, 0)
	}
	if plain == unset {
		plain = 1 // not named: acceptable, but liked less than any named coding
		if any == 0 {
			plain = 0
		}
	}
	best, quality := identity, plain
	if hasGzip && gz > 0 && gz >= quality {
		best, quality = gzipped, gz
	}
	if hasBrotli && br > 0 && br >= quality {
		best = brotlied
	}
	return best
}

// weighted reads "name;q=0.5" as name and 500. A q that makes no sense is 0.
func weighted(item []byte) (name []byte, thousandths int) {
	name, params, ok := bytes.Cut(item, []byte(";"))
	name = bytes.TrimSpace(name)
	if !ok {
		return name, 1000
	}
	params = bytes.TrimSpace(params)
	if len(params) < 2 || params[0]|0x20 != 'q' || params[1] != '=' {
		return name, 1000
	}
	return name, thousandthsOf(bytes.TrimSpace(params[2:]))
}

// thousandthsOf reads a qvalue: 0, 1, or 0. and up to three digits.
func thousandthsOf(q []byte) int {
	if len(q) == 0 || len(q) > 5 || (q[0] != '0' && q[0] != '1') || (len(q) > 1 && q[1] != '.') {
		return 0
	}
	n := int(q[0]-'0') * 1000
	scale := 100
	for _, d := range q[min(2, len(q)):] {
		if d < '0' || d > '9' {
			return 0
		}
		n += int(d-'0') * scale
		scale /= 10
	}
	return min(n, 1000)
}

func cutComma(list []byte) (item, rest []byte) {
	item, rest, _ = bytes.Cut(list, []byte(","))
	return bytes.TrimSpace(item), rest
}

// matchesETag compares an If-None-Match list with an entity tag, weakly.
func matchesETag(list []byte, tag string) bool {
	if tag == "" {
		return false
	}
	tag = opaque(tag)
	list = bytes.TrimSpace(list)
	if len(list) == 1 && list[0] == '*' {
		return true
	}
	for len(list) > 0 {
		list = bytes.TrimLeft(list, " \t,")
		list = bytes.TrimPrefix(list, []byte("W/"))
		if len(list) < 2 || list[0] != '"' {
			return false // not a list of tags: nothing matches
		}
		end := bytes.IndexByte(list[1:], '"')
		if end < 0 {
			return false
		}
		if string(list[1:end+1]) == tag {
			return true
		}
		list = list[end+2:]
	}
	return false
}

// opaque is the tag without its weakness mark and quotes.
func opaque(tag string) string {
	if len(tag) > 2 && tag[:2] == "W/" {
		tag = tag[2:]
	}
	if len(tag) >= 2 && tag[0] == '"' {
		tag = tag[1 : len(tag)-1]
	}
	return tag
}

// refreshSeconds reads ?refresh=60 of wall boards: 0 when absent or silly.
func refreshSeconds(arg []byte) int {
	if len(arg) == 0 || len(arg) > 4 {
		return 0
	}
	n, err := strconv.Atoi(string(arg))
	if err != nil || n < 10 || n > 3600 {
		return 0
	}
	return n
}
