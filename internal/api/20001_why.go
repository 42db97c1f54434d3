package api

import "github.com/ottla/ottla/internal/wire"

// why answers Ottla's own API 1: another broker asks for its HTTP endpoint what a coordinator here remembers. The request goes no
// further, so that two brokers whose metadata differ do not ask each other for ever. No client is told of it; what it tells
// is what the HTTP endpoint tells.
func (a *API) why(c Call, rq *wire.WhyRequest) {
	a.whyHere(WhyKind(rq.Kind), rq.Name, func(report []byte, err error) {
		c.Reply(&wire.WhyResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err), Report: report})
	})
}
