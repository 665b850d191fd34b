"""A Kubernetes API server for each cluster of the local EKS, on loopback.

It speaks the protocol that clients speak: TLS under an authority of the cluster's own, bearer tokens, RBAC, lists in
pages, patches, resource versions, and `Status` where something is refused. Objects are stored and nothing more: no
controller makes pods of a Deployment, no kubelet runs them.

    clusters       which cluster has which server; what tests order of it
    server         HTTPS on loopback
    api            one request: who asks, may he, the answer
    tokens         who a token of EKS belongs to, by asking STS; what access entries and `aws-auth` make of him
    static         tokens that are known beforehand
    rbac           what he may do
    resources      the kinds that are served, and what a path means
    store          the objects
    lists          selectors, pages, continue tokens
    patches        merge, strategic merge and JSON patches
    status         refusals in Kubernetes' form
    certificates   the authority and the server's certificate
    builtin        what is in a cluster from the start
    client         a person with kubectl, for tests
"""
