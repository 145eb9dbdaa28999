import type { Origin } from "./application-set.ts";

/** The README of the config repository. */
export const readme = ({ repository, revision }: Origin): string => `# What runs in the cluster

Argo CD deploys what stands here, from \`${repository}\` at \`${revision}\`.

| folder       | holds                                                                       |
| ------------ | --------------------------------------------------------------------------- |
| \`root/\`      | what the application \`root\` follows: one ApplicationSet for each top folder |
| \`platform/\`  | what others build on, each folder an app. Published charts, with Helm       |
| \`workloads/\` | what you run, each folder an app. Manifests of your own, with Kustomize     |

## Add an app

Add a folder. Its name becomes the app's (\`workloads-hello\`) and its namespace (\`hello\`), which is made too.

- **Your own manifests**: \`workloads/<app>/kustomization.yaml\` and what it lists, as in \`workloads/hello\`.
- **A published chart**: \`platform/<app>/Chart.yaml\` with the chart and its version below \`dependencies\`, its values in
  \`values.yaml\` below its name, as in \`platform/podinfo\`. Argo CD takes a folder with a Chart.yaml for Helm by itself.
  Kustomize's \`helmCharts\` would need the flag \`--enable-helm\`, which lets every folder run Helm while it is rendered; an
  application with several sources would need a list of charts beside the folders.
- Look before you push: \`kubectl kustomize workloads/<app>\`, or \`helm dependency build platform/<app>\` and
  \`helm template platform/<app>\`.

The two examples may go: delete their folders.

## Remove an app

Delete its folder. What an app of \`workloads/\` deployed goes with it. What one of \`platform/\` deployed stays, for data may hang
on it: delete it by hand. Namespaces stay in both cases.

## What does not belong here

- **Argo CD itself, and the other releases of the stack.** Pulumi owns them with their namespaces, and Argo CD's projects refuse
  to write there: an app whose folder is named like such a namespace says that its destination does not \`match any of the
  allowed destinations in project\`.
- **Objects of the whole cluster in \`workloads/\`**, except its namespace: CRDs and cluster roles come with \`platform/\`.
- **Secrets in plain text.** Seal them (\`kubeseal --controller-namespace sealed-secrets\`), or say with an ExternalSecret where
  they are.

## Pods that may more

Namespaces have the pod security level that the cluster sets, \`restricted\` as a rule. An app that needs more brings its own
Namespace object with the label \`pod-security.kubernetes.io/enforce\`, where reviewers see it.

## New images by themselves

Where the release \`argocd-image-updater\` is there, an ImageUpdater object in \`root/\`, in the namespace \`argocd\`, says which apps
and images it looks after. With \`writeBackConfig.method: git:secret:argocd/image-updater-git\` it commits to this repository.
`;
