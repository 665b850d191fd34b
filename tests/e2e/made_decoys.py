"""Machines that look like nodes to a hasty eye, and are none."""

from __future__ import annotations

from making import Made, Tier, bucket, classic_balancer, group, record, shared_subnet, tcp, udp

DECOYS: dict[str, Made] = {
    "Nomad": Made("", (Tier(2, {"nomad-clients": "auto-join"}, ("k",), "#!/bin/bash\n/opt/nomad/bin/run-nomad --client\n/opt/consul/bin/run-consul --client\n"),), None, {"k": group("nomad", rules=(tcp(4646, 4648), udp(4648)))}),
    "Nomad that opens 6443": Made("", (Tier(2, {"nomad-servers": "auto-join"}, ("k",), "#!/bin/bash\n/opt/nomad/bin/run-nomad --server\n"),), None, {"k": group("nomad-servers", rules=(tcp(4646), tcp(4647), tcp(6443)))}),
    "Docker Swarm": Made("", (Tier(2, {}, ("k",), "#!/bin/sh\ndocker swarm join --token SWMTKN-1-x 10.0.0.5:2377\n"),), None, {"k": group("swarm", rules=(tcp(2377), tcp(7946), udp(7946), udp(4789)))}),
    "docker-machine": Made("", (Tier(1, {}, ("k",)),), None, {"k": group("docker-machine", "Docker Machine", rules=(tcp(22), tcp(2376), tcp(3376)))}),
    "ECS": Made("", (Tier(2, {"Name": "ECS Instance"}, (), "#!/bin/bash\necho ECS_CLUSTER=prod >> /etc/ecs/ecs.config\n", image="amzn2-ami-ecs-hvm-2.0.20241010-x86_64-ebs", role=("ecsInstanceRole", "AmazonEC2ContainerServiceforEC2Role")),)),
    "Patroni": Made("", (Tier(3, {"Name": "patroni"}, ("k",), "#!/bin/sh\napt-get install -y patroni etcd-server postgresql\n"),), None, {"k": group("patroni", rules=(tcp(2379, 2380), tcp(5432), tcp(8008)))}),
    "Jenkins": Made("", (Tier(1, {"Name": "jenkins"}, ("k",), "#!/bin/sh\napt-get install -y jenkins kubectl\n"),), None, {"k": group("jenkins", rules=(tcp(8080), tcp(50000)))}),
    "a bastion with kubectl": Made("", (Tier(1, {"Name": "bastion"}, (), "#!/bin/sh\ncurl -LO https://dl.k8s.io/release/v1.31.0/bin/linux/amd64/kubectl\naws eks update-kubeconfig --name prod\n"),)),
    "a build machine with kind": Made("", (Tier(1, {"Name": "gitlab-runner"}, (), "#!/bin/sh\ngitlab-runner register\nkind create cluster\n"),)),
    "Vault": Made("", (Tier(1, {"Name": "vault"}, ("k",), "vault server -config=/etc/vault.d\n"),), None, {"k": group("vault", rules=(tcp(8200, 8201),))}),
    "web servers in a subnet that a cluster shares": Made("", (Tier(2, {"Name": "web"}, (), "apt-get install -y nginx\n"),), around=(shared_subnet("somebody"),)),
    "web servers behind a classic load balancer and a record named api": Made("", (Tier(2, {"Name": "shop"}, (), "apt-get install -y nginx\n"),), None, {"w": group("shop", rules=(tcp(443),))}, around=(classic_balancer("api-of-the-shop", (443, 443)), record("shop.example.io", "api.shop.example.io", "classic api-of-the-shop", "CNAME"), bucket("shop-assets"))),
}  # fmt: skip
