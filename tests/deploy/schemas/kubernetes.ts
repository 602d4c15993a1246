// An object as Kubernetes 1.27 knows it; test_schemas.py puts the objects below it.
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { ICronJob } from 'kubernetes-models/batch/v1/CronJob';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { ISecret } from 'kubernetes-models/v1/Secret';
import type { IService } from 'kubernetes-models/v1/Service';

export type Checked = IDeployment | ICronJob | IPodDisruptionBudget | ISecret | IService;
