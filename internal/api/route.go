package api

import (
	"fmt"
	"slices"

	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/wire"
)

const apiVersionsKey = 18

// Handle answers one request (server.Handler).
func (a *API) Handle(rq *server.Request) {
	key, version, correlation, err := wire.PeekRequest(rq.Frame)
	if err != nil {
		rq.Close(err)
		return
	}
	c := Call{request: rq, key: key, version: version, correlation: correlation}
	row := a.row(key)
	if row == nil {
		rq.Close(fmt.Errorf("API key %d is not served here: ApiVersions lists what is", key))
		return
	}
	c.requests = row.requests
	c.requests.bytes.Observe(int64(len(rq.Frame)))
	if version < row.Min || version > row.Max {
		if key == apiVersionsKey {
			a.refuseApiVersions(c)
			return
		}
		c.Close(fmt.Errorf("%s version %d is not served here, versions %d to %d are: ApiVersions lists them", row.Name, version, row.Min, row.Max))
		return
	}
	if err := a.dispatch(row, c); err != nil {
		c.Close(fmt.Errorf("%s version %d: %w", row.Name, version, err))
	}
}

// dispatch reads the header and lets the row do the rest.
func (a *API) dispatch(row *row, c Call) error {
	r := a.readers.Get().(*wire.Reader)
	defer func() {
		r.Reset(nil)
		a.readers.Put(r)
	}()
	r.Reset(c.request.Frame)
	var header wire.RequestHeader
	if err := header.Decode(r, wire.RequestHeaderVersion(c.key, c.version)); err != nil {
		return err
	}
	clientID := ""
	if header.ClientID != nil {
		clientID = *header.ClientID
	}
	c.request.Session.SetClientID(clientID)
	return row.handle(a, c, r)
}

// row finds the row of an API key, nil if it is not served.
func (a *API) row(key int16) *row {
	if key >= 0 && int(key) < len(a.byKey) {
		return a.byKey[key]
	}
	if i := slices.IndexFunc(a.rows, func(row row) bool { return row.Key == key }); i >= 0 {
		return &a.rows[i]
	}
	return nil
}
