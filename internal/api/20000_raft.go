package api

import "github.com/ottla/ottla/internal/wire"

// raft answers Ottla's own API 0: messages between the voters of the metadata quorum, as raft made them (raftpb). No client
// is told of it. The answer says that they were taken; what raft thinks of them comes as messages of its own.
func (a *API) raft(c Call, rq *wire.RaftRequest) {
	err := a.Raft(rq)
	c.Reply(&wire.RaftResponse{ErrorCode: codeOf(err), ErrorMessage: textOf(err)})
}
