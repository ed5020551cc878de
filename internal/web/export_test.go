package web

import "github.com/statusbridge/statusbridge/internal/status"

// Guarded is a route behind the gate, for tests that walk over all of them.
type Guarded struct {
	Method, Path string
	Role         status.Role
}

// Guarded lists what the gate protects.
func (s *Server) Guarded() []Guarded {
	var list []Guarded
	for _, g := range s.guarded {
		list = append(list, Guarded{g.method, g.path, g.role})
	}
	return list
}
