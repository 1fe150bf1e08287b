import { error } from '@sveltejs/kit';
import { notices } from '$lib/notices.js';

export function load({ params }) {
	const notice = notices[Number(params.number) - 1];
	if (!notice) error(404, 'No such notice');
	return { notice };
}
