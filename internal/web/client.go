package web

import (
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// clientAddr is who is really asking. X-Forwarded-For counts only as far as
// trusted proxies wrote it: the list is walked from the right, and the first
// address that is not a trusted proxy is the client.
func (s *Server) clientAddr(c *fiber.Ctx) netip.Addr {
	peer := netip.Addr{}
	if ap, err := netip.ParseAddrPort(c.Context().RemoteAddr().String()); err == nil {
		peer = ap.Addr().Unmap()
	}
	var hops []string
	for _, line := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		hops = append(hops, strings.Split(string(line), ",")...)
	}
	return walkForwarded(peer, hops, s.cfg.TrustedProxies)
}

func walkForwarded(peer netip.Addr, hops []string, trusted []netip.Prefix) netip.Addr {
	at := peer
	for i := len(hops) - 1; i >= 0 && isTrusted(at, trusted); i-- {
		next, err := parseHop(hops[i])
		if err != nil {
			return at // garbage: the last address we can believe
		}
		at = next
	}
	return at
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// parseHop reads 192.0.2.1, 192.0.2.1:80, 2001:db8::1 and [2001:db8::1]:80.
func parseHop(hop string) (netip.Addr, error) {
	hop = strings.TrimSpace(hop)
	if addr, err := netip.ParseAddr(strings.Trim(hop, "[]")); err == nil {
		return addr.Unmap(), nil
	}
	ap, err := netip.ParseAddrPort(hop)
	return ap.Addr().Unmap(), err
}

// addrKey is the address as limits and back-off count it: an IPv6 customer
// owns a whole /64.
func addrKey(addr netip.Addr) string {
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}
